import type { TrafficKind } from '../../ports/traffic.ts'
import { privilegesFor } from './privileges.ts'
import { HttpScope } from './scope.ts'
import { type HttpSettings, httpSettings } from './settings.ts'

/** Any provider that speaks the protocol of docs/providers/http.md. A scope is one URL, a place one split. */
export const http: TrafficKind<HttpSettings> = {
  kind: 'http',
  settings: httpSettings,
  account: null,
  scopeOf: ({ url }) => url,
  placeOf: ({ split }) => split,
  timingOf: ({ settleSeconds }) => ({ propagationSeconds: settleSeconds, movingTtlSeconds: null }),
  nearestWeights: (weightPercent) => [weightPercent],
  privilegesFor,
  open(targets, _account, context) {
    const url = targets[0]?.settings.url
    if (url === undefined) throw new Error('a scope is opened with at least one target')
    return new HttpScope(url, targets, context)
  },
}
