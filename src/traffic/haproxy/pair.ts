import { missing } from '../../core/observation.ts'
import type { Side, Sides } from '../../core/plan.ts'
import { Problem, problem } from '../../core/problem.ts'
import type { WeightReading } from '../../ports/traffic.ts'
import { missingFor } from '../failure.ts'
import { sharePercent } from '../ratio.ts'
import type { HaproxySettings } from './settings.ts'
import type { ServerState } from './state.ts'

/** Both servers of a target, as HAProxy has them now. */
export interface Pair {
  readonly settings: HaproxySettings
  readonly servers: Sides<ServerState>
}

/** Picks a target's two servers from those of its backend; TRAFFIC_NOT_FOUND when one is not there. */
export function pairOf(settings: HaproxySettings, states: ReadonlyMap<string, ServerState> | Problem): Pair | Problem {
  if (states instanceof Problem) return states
  const old = states.get(settings.old)
  const new_ = states.get(settings.new)
  if (old && new_) return { settings, servers: { old, new: new_ } }
  return problem('TRAFFIC_NOT_FOUND', `HAProxy has no server ${settings.backend}/${old ? settings.new : settings.old}`)
}

/**
 * The weight that is in force. A server that has a weight and yet gets nothing (maintenance, draining, down) makes the
 * reading missing: neither the weight nor the share would be the truth, and whoever waits for it must not go on. A server
 * of weight 0 may be in any state, so a revert is confirmed while NEW is in maintenance.
 */
export function readingOf(pair: Pair | Problem): WeightReading {
  if (pair instanceof Problem) return missingFor(pair)
  const { servers, settings } = pair
  for (const side of ['old', 'new'] satisfies Side[]) {
    const { weight, idleBecause } = servers[side]
    if (weight > 0 && idleBecause !== null)
      return missing(
        'refused',
        `server ${settings.backend}/${settings[side]} ${idleBecause}: its weight of ${weight} is not in force`,
      )
  }
  const weightPercent = sharePercent(weightsOf(pair))
  if (weightPercent === null)
    return missing('not-a-number', `both servers of ${settings.backend} have weight 0: HAProxy answers 503`)
  return { kind: 'weight', weightPercent }
}

export function weightsOf({ servers }: Pair): Sides<number> {
  return { old: servers.old.weight, new: servers.new.weight }
}
