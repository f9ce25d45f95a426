import { Problem } from '../../core/problem.ts'
import type {
  TrafficFinding,
  TrafficScope,
  TrafficTarget,
  WeightChange,
  WeightReading,
  WriteResult,
} from '../../ports/traffic.ts'
import { connectionProblem, failed, missingFor, unknownTarget } from '../failure.ts'
import { findingsOf } from '../inspect.ts'
import { makeMoves, planMove } from './move.ts'
import { type Pair, pairOf, readingOf } from './pair.ts'
import { Session } from './session.ts'
import type { HaproxySettings } from './settings.ts'
import { parseServerStates } from './state.ts'

/** One HAProxy process. A read and a write take one connection each, whatever the number of targets. */
export class HaproxyScope implements TrafficScope {
  readonly quota = null
  readonly restSeconds = 0
  readonly #socketName: string
  readonly #settings: ReadonlyMap<string, HaproxySettings>

  constructor(socketName: string, targets: readonly TrafficTarget<HaproxySettings>[]) {
    this.#socketName = socketName
    this.#settings = new Map(targets.map((target) => [target.id, target.settings]))
  }

  async read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>> {
    const pairs = await this.#inSession(signal, (session) => this.#pairs(session, targetIds))
    if (pairs instanceof Problem) return new Map(targetIds.map((id) => [id, missingFor(pairs)]))
    return new Map(targetIds.map((id) => [id, readingOf(pairs.get(id) ?? unknownTarget(id))]))
  }

  async write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>> {
    const results = new Map<string, WriteResult>()
    const targetIds = changes.map(({ targetId }) => targetId)
    const outcome = await this.#inSession(signal, async (session) => {
      const pairs = await this.#pairs(session, targetIds)
      for (const urgency of ['revert', 'forward']) {
        const moves = changes
          .filter((change) => change.urgency === urgency)
          .flatMap((change) => {
            const move = planMove(change, pairs.get(change.targetId) ?? unknownTarget(change.targetId))
            if (!(move instanceof Problem)) return move
            results.set(change.targetId, failed(move))
            return []
          })
        for (const [targetId, result] of await makeMoves(session, moves)) results.set(targetId, result)
      }
    })
    if (outcome instanceof Problem) for (const id of targetIds) if (!results.has(id)) results.set(id, failed(outcome))
    return results
  }

  async inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]> {
    return findingsOf(await this.read(targetIds, signal))
  }

  async close(): Promise<void> {
    // A connection lasts one call: nothing is left to close.
  }

  async #inSession<T>(signal: AbortSignal, talk: (session: Session) => Promise<T>): Promise<T | Problem> {
    let session: Session | null = null
    try {
      session = await Session.open(this.#socketName, signal)
      return await talk(session)
    } catch (error) {
      return connectionProblem(`HAProxy at ${this.#socketName}`, error, signal)
    } finally {
      session?.close()
    }
  }

  /** Asks once for each backend, not once for each target. */
  async #pairs(session: Session, targetIds: readonly string[]): Promise<ReadonlyMap<string, Pair | Problem>> {
    const targets = targetIds.flatMap((id) => {
      const settings = this.#settings.get(id)
      return settings ? { id, settings } : []
    })
    const backends = [...new Set(targets.map(({ settings }) => settings.backend))]
    const answers = await session.ask(backends.map((backend) => `show servers state ${backend}`))
    const states = new Map(
      backends.map((backend, index) => [backend, parseServerStates(backend, answers[index] ?? '')]),
    )
    return new Map(targets.map(({ id, settings }) => [id, pairOf(settings, states.get(settings.backend) ?? new Map())]))
  }
}
