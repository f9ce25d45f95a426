import { setTimeout as sleep } from 'node:timers/promises'
import type { Sides } from '../../src/core/plan.ts'
import { sharePercent } from '../../src/traffic/ratio.ts'
import type { RealHaproxy } from './haproxy.ts'

const POLL_MS = 10

/** A weight as HAProxy itself told it. */
export interface SeenWeight {
  /** When it had first been seen, milliseconds since 1970. */
  readonly atMs: number
  readonly weightPercent: number | null
}

/** The weights of a backend's two servers now, in HAProxy's own units. */
export async function serverWeightsOf(haproxy: RealHaproxy, backend: string): Promise<Sides<number>> {
  const weightOf = async (server: string) => {
    const answer = await haproxy.command(`get weight ${backend}/${server}`)
    const weight = /^(\d+) /.exec(answer)?.[1]
    if (weight === undefined) throw new Error(`haproxy has no weight of ${backend}/${server}: ${answer}`)
    return Number(weight)
  }
  return { old: await weightOf('old'), new: await weightOf('new') }
}

/**
 * Looks at a backend's weight all the time, and keeps each change that it sees: also what is there between the two commands
 * of a write, and none that the next one overtakes. Ends with the signal.
 */
export function watchWeight(haproxy: RealHaproxy, backend: string, signal: AbortSignal) {
  const seen: SeenWeight[] = []
  const watch = async () => {
    while (!signal.aborted) {
      const weightPercent = sharePercent(await serverWeightsOf(haproxy, backend))
      // Not before what it has seen has happened.
      const atMs = Date.now()
      if (seen.at(-1)?.weightPercent !== weightPercent) seen.push({ atMs, weightPercent })
      await sleep(POLL_MS)
    }
  }
  return { seen: seen as readonly SeenWeight[], ended: watch() }
}
