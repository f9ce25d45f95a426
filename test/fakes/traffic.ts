import { z } from 'zod'
import { problem } from '../../src/core/problem.ts'
import type { AdapterContext } from '../../src/ports/kind.ts'
import type { QuotaLimits } from '../../src/ports/quota.ts'
import type { Clock } from '../../src/ports/runtime.ts'
import type { TrafficKind, TrafficScope, TrafficTarget, WeightChange, WeightReading } from '../../src/ports/traffic.ts'
import { duration } from '../../src/shared/schema.ts'
import { connectionProblem, failed, missingFor, unknownTarget } from '../../src/traffic/failure.ts'

const fakeSettings = z
  .strictObject({ scope: z.string(), place: z.string(), settle: duration().prefault('0s') })
  .transform(({ settle, ...rest }) => ({ ...rest, settleSeconds: settle }))

export type FakeSettings = z.output<typeof fakeSettings>

/** A provider in memory, and the handles by which a test makes it misbehave. */
export interface FakeTraffic {
  readonly kind: TrafficKind<FakeSettings>
  /** By `scope/place`: what the provider has. A place that is not here does not exist; to set one is a foreign write. */
  readonly weights: Map<string, number>
  /** The changes of every write call that came in, oldest first. */
  readonly writes: (readonly WeightChange[])[]
  readonly faults: FakeTrafficFaults
  /** When each read call came in, ms of the adapter's clock. */
  readonly readsAtMs: number[]
  /** How often a quiet scope needs reading, seconds. */
  restSeconds: number
  /** What the account takes, and how many targets a call reads; null: no limits. It counts for scopes opened later. */
  quota: (QuotaLimits & { readonly targetsPerRead: number }) | null
  /** What every reading says beside the weight. */
  readonly extra: { pending?: string; ttlSeconds?: number; otherWriter?: string }
  /** Calls from now on wait for `resume`, or for their signal. */
  hang(): void
  resume(): void
  /** Calls that wait now. */
  waiting(): number
}

/** All off at first; a test turns them on and off. */
export interface FakeTrafficFaults {
  /** Nobody answers. */
  unreachable: boolean
  /** Writes work, nothing can be read. */
  refusesReads: boolean
  /** Reads work, every change is refused. */
  refusesWrites: boolean
  /** Of each call's changes every second one, from the second on, is acknowledged and yet not done. */
  appliesHalf: boolean
  /** How long each call takes, ms of the adapter's clock. */
  latencyMs: number
  /** How much later than that a write lands and is acknowledged, ms. */
  landingMs: number
}

export function createFakeTraffic(places: Readonly<Record<string, number>> = {}): FakeTraffic {
  const weights = new Map(Object.entries(places))
  const writes: (readonly WeightChange[])[] = []
  const faults: FakeTrafficFaults = {
    unreachable: false,
    refusesReads: false,
    refusesWrites: false,
    appliesHalf: false,
    latencyMs: 0,
    landingMs: 0,
  }
  const gate = createGate()

  async function arrive(clock: Clock, signal: AbortSignal) {
    await gate.pass(signal)
    if (faults.latencyMs > 0) await clock.sleep(faults.latencyMs, signal)
    if (signal.aborted) return connectionProblem('the fake', signal.reason, signal)
    return faults.unreachable ? problem('TRAFFIC_UNREACHABLE', 'the fake is away') : null
  }

  function open(
    targets: readonly TrafficTarget<FakeSettings>[],
    _account: unknown,
    { clock, quotas }: Pick<AdapterContext, 'clock' | 'quotas'>,
  ): TrafficScope {
    const quota = fake.quota && quotas.of('fake', fake.quota)
    const callsOf = (count: number) => (fake.quota ? Math.ceil(count / fake.quota.targetsPerRead) : 1)
    /** One call, or as many as a read of so many targets takes. */
    const arriveToRead = async (count: number, signal: AbortSignal) => {
      for (let call = 1; call < callsOf(count); call++) {
        await quota?.take('read', signal)
        await arrive(clock, signal)
      }
      await quota?.take('read', signal)
      return arrive(clock, signal)
    }
    const keys = new Map(targets.map(({ id, settings }) => [id, `${settings.scope}/${settings.place}`]))
    const readingOf = (targetId: string): WeightReading => {
      const weightPercent = weights.get(keys.get(targetId) ?? '')
      return weightPercent === undefined
        ? missingFor(unknownTarget(targetId))
        : { kind: 'weight', weightPercent, ...fake.extra }
    }
    const writeOne = ({ targetId, weightPercent }: WeightChange, index: number) => {
      const key = keys.get(targetId) ?? ''
      if (!weights.has(key)) return failed(unknownTarget(targetId))
      if (faults.refusesWrites) return failed(problem('TRAFFIC_REFUSED', 'the fake does not want to'))
      if (!faults.appliesHalf || index % 2 === 0) weights.set(key, weightPercent)
      return { kind: 'applied' } as const
    }
    return {
      quota,
      get restSeconds() {
        return fake.restSeconds
      },
      inspect: async () => [],
      async read(targetIds, signal) {
        fake.readsAtMs.push(clock.nowMs())
        const why = await arriveToRead(targetIds.length, signal)
        const refused = faults.refusesReads ? problem('TRAFFIC_REFUSED', 'the fake shows nothing') : why
        return new Map(targetIds.map((id) => [id, refused ? missingFor(refused) : readingOf(id)]))
      },
      async write(changes, signal) {
        writes.push(changes)
        const why = await arrive(clock, signal)
        if (faults.landingMs > 0) await clock.sleep(faults.landingMs, signal)
        return new Map(changes.map((change, index) => [change.targetId, why ? failed(why) : writeOne(change, index)]))
      },
      async close() {},
    }
  }

  const kind: TrafficKind<FakeSettings> = {
    kind: 'fake',
    settings: fakeSettings,
    scopeOf: ({ scope }) => scope,
    placeOf: ({ place }) => place,
    account: null,
    timingOf: ({ settleSeconds }) => ({ propagationSeconds: settleSeconds, movingTtlSeconds: null }),
    privilegesFor: () => [],
    nearestWeights: (weightPercent) => [weightPercent],
    open,
  }
  const fake: FakeTraffic = {
    kind,
    weights,
    writes,
    faults,
    readsAtMs: [],
    restSeconds: 0,
    quota: null,
    extra: {},
    hang: gate.shut,
    resume: gate.open,
    waiting: gate.waiting,
  }
  return fake
}

/** Lets callers through, or makes them wait until it is opened or their signal aborts. */
function createGate() {
  let isShut = false
  const waiters = new Set<() => void>()
  return {
    shut() {
      isShut = true
    },
    open() {
      isShut = false
      for (const go of [...waiters]) go()
    },
    waiting: () => waiters.size,
    pass: (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (!isShut || signal.aborted) return resolve()
        const go = () => {
          waiters.delete(go)
          signal.removeEventListener('abort', go)
          resolve()
        }
        waiters.add(go)
        signal.addEventListener('abort', go, { once: true })
      }),
  }
}
