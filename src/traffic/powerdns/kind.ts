import type { TrafficKind } from '../../ports/traffic.ts'
import { privilegesFor } from './privileges.ts'
import { PowerdnsScope } from './scope.ts'
import { type PowerdnsAccount, type PowerdnsSettings, powerdnsAccount, powerdnsSettings } from './settings.ts'

/** PowerDNS's LUA records, through its HTTP API. A scope is one zone, a place one name and type. */
export const powerdns: TrafficKind<PowerdnsSettings, PowerdnsAccount> = {
  kind: 'powerdns',
  settings: powerdnsSettings,
  account: powerdnsAccount,
  scopeOf: ({ zone }) => zone,
  placeOf: ({ record, type }) => `${record}/${type}`,
  timingOf: ({ propagationSeconds, movingTtlSeconds }) => ({ propagationSeconds, movingTtlSeconds }),
  nearestWeights: (weightPercent) => [weightPercent],
  privilegesFor,
  open(targets, account, { secret }) {
    const zone = targets[0]?.settings.zone
    if (zone === undefined) throw new Error('a scope is opened with at least one target')
    return new PowerdnsScope(zone, targets, account, secret)
  },
}
