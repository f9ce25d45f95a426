import type { Profile, TrafficManagerManagementClient } from '@azure/arm-trafficmanager'
import { Problem, problem } from '../../core/problem.ts'
import type { Quota, QuotaUse } from '../../ports/quota.ts'
import type {
  TrafficFinding,
  TrafficScope,
  TrafficTarget,
  WeightChange,
  WeightReading,
  WriteResult,
} from '../../ports/traffic.ts'
import type { AzureApi } from '../azure-client.ts'
import { findEach, urgencyOf, writeOne } from '../azure-scope.ts'
import { missingFor, unknownTarget } from '../failure.ts'
import { findingsOf } from '../inspect.ts'
import { sharePercent, wholeWeights } from '../ratio.ts'
import { inexpressible } from '../weight.ts'
import { isDegraded, nameOf, profileWith, readingOf, type Split, splitOf, typeProblem, weightsOf } from './profile.ts'
import type { TrafficManagerSettings } from './settings.ts'

/** One profile. A read is one GET; a write is one GET and, unless nothing is to be changed, one PATCH. */
export class TrafficManagerScope implements TrafficScope {
  readonly restSeconds = 30
  readonly quota: Quota
  readonly #api: AzureApi<TrafficManagerManagementClient>
  /** Which profile: the same for all targets. */
  readonly #where: TrafficManagerSettings
  readonly #settings: ReadonlyMap<string, TrafficManagerSettings>

  constructor(
    where: TrafficManagerSettings,
    targets: readonly TrafficTarget<TrafficManagerSettings>[],
    api: AzureApi<TrafficManagerManagementClient>,
  ) {
    this.#where = where
    this.#settings = new Map(targets.map((target) => [target.id, target.settings]))
    this.#api = api
    this.quota = api.quota
  }

  async read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>> {
    const splits = await this.#splits('read', targetIds, signal)
    return new Map([...splits].map(([id, split]) => [id, toReading(split)]))
  }

  async write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>> {
    const ids = changes.map(({ targetId }) => targetId)
    const splits = await this.#splits(urgencyOf(changes), ids, signal)
    return writeOne(
      changes,
      (change) => planned(change, splits.get(change.targetId) ?? unknownTarget(change.targetId)),
      (next) => this.#patch(next, signal),
    )
  }

  async inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]> {
    const splits = await this.#splits('read', targetIds, signal)
    return [...splits].flatMap(([targetId, split]): readonly TrafficFinding[] => {
      const why = split instanceof Problem ? split : (typeProblem(split) ?? problemIn(split))
      if (why) return [{ targetId, level: 'fail', problem: why.toJSON() }]
      return [
        ...findingsOf(new Map([[targetId, toReading(split)]])),
        ...(split instanceof Problem || !isDegraded(split)
          ? []
          : [{ targetId, level: 'warn' as const, problem: allDegraded(split).toJSON() }]),
      ]
    })
  }

  async close(): Promise<void> {
    this.#api.close()
  }

  #splits(use: QuotaUse, targetIds: readonly string[], signal: AbortSignal) {
    const { resourceGroup, profile } = this.#where
    const get = () =>
      this.#api.call(use, nameOf(this.#where), signal, (client) =>
        client.profiles.get(resourceGroup, profile, { abortSignal: signal }),
      )
    return findEach(targetIds, this.#settings, get, splitOf)
  }

  async #patch(next: Profile, signal: AbortSignal): Promise<Problem | null> {
    const { resourceGroup, profile } = this.#where
    const got = await this.#api.callPaid(nameOf(this.#where), signal, (client) =>
      client.profiles.update(resourceGroup, profile, next, { abortSignal: signal }),
    )
    return got instanceof Problem ? got : null
  }
}

/** What to send for a change; null: it is like that already. */
function planned({ weightPercent, ttlSeconds }: WeightChange, split: Split | Problem): Profile | null | Problem {
  if (split instanceof Problem) return split
  // Disabling NEW is right whatever else the profile does: a way down to 0 is never refused.
  const why = weightPercent > 0 ? typeProblem(split) : null
  if (why) return why
  const next = wholeWeights(weightPercent, 1000)
  if (next === null) return inexpressible('Traffic Manager', weightPercent, [weightPercent])
  const now = weightsOf(split)
  const isThere = now !== null && sharePercent(now) === weightPercent
  const newTtl = ttlSeconds === split.checked.dnsConfig.ttl ? null : ttlSeconds
  if (!isThere) return profileWith(split, next, newTtl)
  return newTtl === null ? null : profileWith(split, now, newTtl)
}

function problemIn(split: Split): Problem | null {
  const reading = readingOf(split)
  return reading instanceof Problem ? reading : null
}

function toReading(split: Split | Problem): WeightReading {
  const reading = split instanceof Problem ? split : readingOf(split)
  return reading instanceof Problem ? missingFor(reading) : reading
}

function allDegraded({ settings }: Split): Problem {
  return problem('TRAFFIC_REFUSED', `every enabled endpoint of ${nameOf(settings)} is Degraded`, {
    hint: 'Traffic Manager then answers as if all were well; see why its probes fail before traffic moves',
  })
}
