import type { AFDOrigin, CdnManagementClient } from '@azure/arm-cdn'
import { z } from 'zod'
import type { Urgency } from '../../core/effect.ts'
import { Problem } from '../../core/problem.ts'
import type { Quota, QuotaUse } from '../../ports/quota.ts'
import type {
  TrafficFinding,
  TrafficScope,
  TrafficTarget,
  WeightChange,
  WeightReading,
  WriteResult,
} from '../../ports/traffic.ts'
import { badAzureAnswer } from '../azure-call.ts'
import type { AzureApi } from '../azure-client.ts'
import { findEach, urgencyOf, writeOne } from '../azure-scope.ts'
import { missingFor, unknownTarget } from '../failure.ts'
import { groupWarnings } from './group.ts'
import { changesTo, groupProblem, nameOf, type OriginChange, readingOf, splitOf } from './origins.ts'
import type { FrontDoorSettings } from './settings.ts'

/**
 * One origin group. A read is one GET (more where the list has pages). A write is one GET and a PATCH for each origin
 * that has to change: mostly one; where it takes two, no one call can replace them, and their order is safe between
 * them.
 */
export class FrontDoorScope implements TrafficScope {
  readonly restSeconds = 60
  readonly quota: Quota
  readonly #api: AzureApi<CdnManagementClient>
  /** Which group: the same for all targets. */
  readonly #where: FrontDoorSettings
  readonly #settings: ReadonlyMap<string, FrontDoorSettings>

  constructor(
    where: FrontDoorSettings,
    targets: readonly TrafficTarget<FrontDoorSettings>[],
    api: AzureApi<CdnManagementClient>,
  ) {
    this.#where = where
    this.#settings = new Map(targets.map((target) => [target.id, target.settings]))
    this.#api = api
    this.quota = api.quota
  }

  async read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>> {
    const splits = await this.#splits('read', targetIds, signal)
    return new Map(
      [...splits].map(([id, split]) => {
        const reading = split instanceof Problem ? split : readingOf(split)
        return [id, reading instanceof Problem ? missingFor(reading) : reading]
      }),
    )
  }

  async write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>> {
    const ids = changes.map(({ targetId }) => targetId)
    const splits = await this.#splits(urgencyOf(changes), ids, signal)
    return writeOne(
      changes,
      ({ targetId, weightPercent }) => {
        const split = splits.get(targetId) ?? unknownTarget(targetId)
        const calls = split instanceof Problem ? split : changesTo(weightPercent, split)
        return calls instanceof Problem || calls.length > 0 ? calls : null
      },
      (calls, urgency) => this.#patch(calls, urgency, signal),
    )
  }

  async inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]> {
    const splits = await this.#splits('read', targetIds, signal)
    const found: TrafficFinding[] = []
    for (const [targetId, split] of splits) {
      const why = split instanceof Problem ? split : (groupProblem(split) ?? readingOf(split))
      if (why instanceof Problem) found.push({ targetId, level: 'fail', problem: why.toJSON() })
    }
    const known = [...splits].flatMap(([targetId, split]) => (split instanceof Problem ? [] : [targetId]))
    if (known.length === 0) return found
    const { resourceGroup, profile, originGroup } = this.#where
    const group = await this.#api.call('read', nameOf(this.#where), signal, (client) =>
      client.afdOriginGroups.get(resourceGroup, profile, originGroup, { abortSignal: signal }),
    )
    const level = group instanceof Problem ? 'fail' : 'warn'
    const problems = group instanceof Problem ? [group] : groupWarnings(this.#where, group)
    return [
      ...found,
      ...known.flatMap((targetId) => problems.map((one) => ({ targetId, level, problem: one.toJSON() }) as const)),
    ]
  }

  async close(): Promise<void> {
    this.#api.close()
  }

  #splits(use: QuotaUse, targetIds: readonly string[], signal: AbortSignal) {
    return findEach(targetIds, this.#settings, () => this.#origins(use, signal), splitOf)
  }

  async #origins(use: QuotaUse, signal: AbortSignal): Promise<readonly AFDOrigin[] | Problem> {
    const { resourceGroup, profile, originGroup } = this.#where
    const what = nameOf(this.#where)
    const origins: AFDOrigin[] = []
    let isList = false
    const onResponse = ({ parsedBody }: { readonly parsedBody?: unknown }) => {
      isList = listShape.safeParse(parsedBody).success
    }
    let pages: AsyncIterator<AFDOrigin[]> | null = null
    for (let count = 0; count < MAX_PAGES; count++) {
      const page = await this.#api.call(use, what, signal, async (client) => {
        const { getContinuationToken } = await import('@azure/arm-cdn')
        const options = { abortSignal: signal, onResponse }
        pages ??= client.afdOrigins.listByOriginGroup(resourceGroup, profile, originGroup, options).byPage()
        const { value } = await pages.next()
        // The SDK takes anything else for an empty list.
        if (!isList) throw badAzureAnswer(what, 'with no list of origins')
        return { origins: value, isLast: getContinuationToken(value) === undefined }
      })
      if (page instanceof Problem) return page
      origins.push(...page.origins)
      if (page.isLast) return origins
    }
    return badAzureAnswer(what, `with more than ${MAX_PAGES} pages of origins`)
  }

  /** The first call was paid for by who called `write`. */
  async #patch(calls: readonly OriginChange[], urgency: Urgency, signal: AbortSignal): Promise<Problem | null> {
    const { resourceGroup, profile, originGroup } = this.#where
    for (const [index, { origin, parameters }] of calls.entries()) {
      const what = `origin ${origin} in ${nameOf(this.#where)}`
      const send = (client: CdnManagementClient) =>
        client.afdOrigins.beginUpdate(resourceGroup, profile, originGroup, origin, parameters, { abortSignal: signal })
      const got =
        index === 0 ? await this.#api.callPaid(what, signal, send) : await this.#api.call(urgency, what, signal, send)
      // Without the first, the second would be the half that sends more to NEW.
      if (got instanceof Problem) return got
    }
    return null
  }
}

const listShape = z.object({ value: z.array(z.unknown()) })
/** An origin group holds 50 origins at most. */
const MAX_PAGES = 50
