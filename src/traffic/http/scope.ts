import type { Urgency } from '../../core/effect.ts'
import { Problem, problem } from '../../core/problem.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import type {
  TrafficFinding,
  TrafficScope,
  TrafficTarget,
  WeightChange,
  WeightReading,
  WriteResult,
} from '../../ports/traffic.ts'
import { failed, missingFor, unknownTarget } from '../failure.ts'
import { findingsOf } from '../inspect.ts'
import { type Call, HttpClient } from './client.ts'
import type { Splits } from './protocol.ts'
import type { HttpSettings } from './settings.ts'

type Context = Pick<AdapterContext, 'secret' | 'tracer'>

/** One provider behind a URL. Targets that share token and timeout share a call. */
export class HttpScope implements TrafficScope {
  readonly quota = null
  readonly restSeconds = 0
  readonly #client: HttpClient
  readonly #settings: ReadonlyMap<string, HttpSettings>
  readonly #context: Context

  constructor(url: string, targets: readonly TrafficTarget<HttpSettings>[], context: Context) {
    this.#client = new HttpClient(url)
    this.#settings = new Map(targets.map((target) => [target.id, target.settings]))
    this.#context = context
  }

  async read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>> {
    const readings = new Map<string, WeightReading>()
    for (const group of this.#groups(targetIds, (id) => id)) {
      const splits = await this.#call(group.settings, { method: 'GET', headers: {}, body: null }, signal)
      for (const { item: id, split } of group.members) readings.set(id, readingOf(weightIn(splits, split)))
    }
    for (const id of targetIds) if (!readings.has(id)) readings.set(id, missingFor(unknownTarget(id)))
    return readings
  }

  async write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>> {
    const results = new Map<string, WriteResult>()
    for (const urgency of ['revert', 'forward'] satisfies Urgency[]) {
      const urgent = changes.filter((change) => change.urgency === urgency)
      for (const group of this.#groups(urgent, ({ targetId }) => targetId)) {
        const wanted = group.members.map(({ item, split }) => [split, { weightPercent: item.weightPercent }])
        const body = JSON.stringify({ splits: Object.fromEntries(wanted) })
        const headers = { 'headgate-urgency': urgency }
        const splits = await this.#call(group.settings, { method: 'PATCH', headers, body }, signal)
        for (const { item, split } of group.members)
          results.set(item.targetId, resultOf(item.weightPercent, split, weightIn(splits, split)))
      }
    }
    for (const { targetId } of changes)
      if (!results.has(targetId)) results.set(targetId, failed(unknownTarget(targetId)))
    return results
  }

  async inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]> {
    return findingsOf(await this.read(targetIds, signal))
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #call(
    settings: HttpSettings,
    call: Pick<Call, 'method' | 'headers' | 'body'>,
    signal: AbortSignal,
  ): Promise<Splits | Problem> {
    const token = this.#token(settings)
    if (token instanceof Problem) return token
    const headers = { ...call.headers, ...this.#context.tracer.headers() }
    return this.#client.call({ ...call, headers, token, timeoutMs: settings.timeoutSeconds * 1000 }, signal)
  }

  /** Read anew for each call; its variable or file may have gone since the config was read. */
  #token({ token }: HttpSettings): string | null | Problem {
    try {
      return token === undefined ? null : this.#context.secret(token)
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    }
  }

  /** Those that one call can carry, with their splits' names; ids that are not of this scope are left out. */
  #groups<T>(items: readonly T[], idOf: (item: T) => string): readonly Group<T>[] {
    const groups = new Map<string, { settings: HttpSettings; members: { item: T; split: string }[] }>()
    for (const item of items) {
      const settings = this.#settings.get(idOf(item))
      if (!settings) continue
      const key = JSON.stringify([settings.token, settings.timeoutSeconds])
      const group = groups.get(key) ?? { settings, members: [] }
      group.members.push({ item, split: settings.split })
      groups.set(key, group)
    }
    return [...groups.values()]
  }
}

interface Group<T> {
  /** One member's: token and timeout are the same for all. */
  readonly settings: HttpSettings
  readonly members: readonly { readonly item: T; readonly split: string }[]
}

function weightIn(splits: Splits | Problem, split: string): number | Problem {
  if (splits instanceof Problem) return splits
  return splits.get(split) ?? problem('TRAFFIC_NOT_FOUND', `the provider knows no split ${split}`)
}

function readingOf(weightPercent: number | Problem): WeightReading {
  return weightPercent instanceof Problem ? missingFor(weightPercent) : { kind: 'weight', weightPercent }
}

function resultOf(wantedPercent: number, split: string, weightPercent: number | Problem): WriteResult {
  if (weightPercent instanceof Problem) return failed(weightPercent)
  if (weightPercent === wantedPercent) return { kind: 'applied' }
  return failed(
    problem('TRAFFIC_UNVERIFIED', `split ${split} was asked for ${wantedPercent} % and has ${weightPercent} %`),
  )
}
