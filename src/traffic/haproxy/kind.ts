import type { TrafficKind } from '../../ports/traffic.ts'
import { privilegesFor } from './privileges.ts'
import { HaproxyScope } from './scope.ts'
import { type HaproxySettings, haproxySettings } from './settings.ts'
import { nearestWeights } from './weights.ts'

/** HAProxy's server weights, through its runtime API. A scope is one process, a place one backend. */
export const haproxy: TrafficKind<HaproxySettings> = {
  kind: 'haproxy',
  settings: haproxySettings,
  account: null,
  scopeOf: ({ socket }) => socket,
  placeOf: ({ backend }) => backend,
  // The next request is balanced by the new weights, on kept-alive connections too.
  timingOf: () => ({ propagationSeconds: 0, movingTtlSeconds: null }),
  nearestWeights,
  privilegesFor,
  open(targets) {
    const socket = targets[0]?.settings.socket
    if (socket === undefined) throw new Error('a scope is opened with at least one target')
    return new HaproxyScope(socket, targets)
  },
}
