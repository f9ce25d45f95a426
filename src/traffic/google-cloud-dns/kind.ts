import type { TrafficKind } from '../../ports/traffic.ts'
import { GoogleDnsClient } from './client.ts'
import { privilegesFor } from './privileges.ts'
import { GoogleCloudDnsScope } from './scope.ts'
import {
  type GoogleCloudDnsAccount,
  type GoogleCloudDnsSettings,
  googleCloudDnsAccount,
  googleCloudDnsSettings,
} from './settings.ts'

/** Weighted round robin of Google Cloud DNS. A scope is one managed zone, a place one record set. */
export const googleCloudDns: TrafficKind<GoogleCloudDnsSettings, GoogleCloudDnsAccount> = {
  kind: 'google-cloud-dns',
  settings: googleCloudDnsSettings,
  account: googleCloudDnsAccount,
  scopeOf: ({ project, zone }) => `${project}/${zone}`,
  placeOf: ({ record, type }) => `${record} ${type}`,
  timingOf: ({ propagationSeconds, movingTtlSeconds }) => ({ propagationSeconds, movingTtlSeconds }),
  nearestWeights: (weightPercent) => [weightPercent],
  privilegesFor,
  open(targets, account, { quotas, secret }) {
    const settings = targets[0]?.settings
    if (settings === undefined) throw new Error('a scope is opened with at least one target')
    const client = new GoogleDnsClient(settings, account, secret)
    return new GoogleCloudDnsScope(client, quotas.of(`google-cloud-dns:${settings.project}`, account.quota), targets)
  },
}
