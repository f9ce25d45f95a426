import type { Route53 } from '@aws-sdk/client-route-53'
import type { TrafficKind } from '../../ports/traffic.ts'
import { AwsClients, awsAccountName } from '../../shared/aws.ts'
import { ZoneApi } from './api.ts'
import { nearestWeights } from './plan.ts'
import { privilegesFor } from './privileges.ts'
import { Route53Scope } from './scope.ts'
import { type Route53Account, type Route53Settings, route53Account, route53Settings } from './settings.ts'

const clients = new AwsClients<Route53>(async (options) => {
  const sdk = await import('@aws-sdk/client-route-53')
  return new sdk.Route53(options)
})

/** Weighted records of Amazon Route 53. A scope is one hosted zone, a place one name and type. */
export const route53: TrafficKind<Route53Settings, Route53Account> = {
  kind: 'route53',
  settings: route53Settings,
  account: route53Account,
  scopeOf: ({ zone }) => zone,
  placeOf: ({ record, type }) => (type === undefined ? record : `${record} ${type}`),
  timingOf: ({ propagationSeconds, movingTtlSeconds }) => ({ propagationSeconds, movingTtlSeconds }),
  nearestWeights,
  privilegesFor,
  open(targets, account, { clock, quotas }) {
    const zone = targets[0]?.settings.zone
    if (zone === undefined) throw new Error('a scope is opened with at least one target')
    const quota = quotas.of(`route53:${awsAccountName(account)}`, account.quota)
    const lease = clients.lease(account)
    const api = new ZoneApi(zone, lease, quota)
    return new Route53Scope({ api, quota, targets, limits: account.batch, clock, release: lease.close })
  },
}
