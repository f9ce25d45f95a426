import { missing, type TargetReading } from '../core/observation.ts'
import type { Plan, PlanTarget } from '../core/plan.ts'
import { problem } from '../core/problem.ts'
import type { AdapterContext } from '../ports/kind.ts'
import type { Meter } from '../ports/runtime.ts'
import type { TrafficKind, TrafficScope, WeightChange, WeightReading, WriteResult } from '../ports/traffic.ts'
import { byDeadline } from './deadline.ts'
import type { Timer } from './timer.ts'

interface OpenScope {
  /** JSON of its targets: another one means that the scope is opened anew. */
  readonly fingerprint: string
  readonly targetIds: readonly string[]
  readonly adapter: TrafficScope
  readonly kind: string
  /** Calls under way: the adapter is closed after them. */
  readonly calls: Set<Promise<unknown>>
}

/** The open traffic scopes, one adapter each. */
export class Scopes {
  private readonly open = new Map<string, OpenScope>()
  private readonly scopeByTarget = new Map<string, string>()
  private readonly kinds: ReadonlyMap<string, TrafficKind>
  private readonly context: AdapterContext
  private readonly deps: { readonly meter: Meter; readonly timer: Timer }

  constructor(kinds: readonly TrafficKind[], context: AdapterContext, deps: Scopes['deps']) {
    this.kinds = new Map(kinds.map((kind) => [kind.kind, kind]))
    this.context = context
    this.deps = deps
  }

  /** Opens the scopes that these plans need, keeps those that did not change, closes the others. */
  async use(plans: Iterable<Plan>): Promise<void> {
    const wanted = Map.groupBy(
      [...plans].flatMap((plan) => plan.targets),
      (target) => target.scope,
    )
    const gone = [...this.open].filter(
      ([scope, { fingerprint }]) => fingerprintOf(wanted.get(scope) ?? []) !== fingerprint,
    )
    for (const [name, scope] of gone) {
      this.open.delete(name)
      for (const id of scope.targetIds) this.scopeByTarget.delete(id)
      await closeIdle(scope)
    }
    for (const [scope, targets] of wanted) if (!this.open.has(scope)) this.openScope(scope, targets)
  }

  private openScope(scope: string, targets: readonly PlanTarget[]): void {
    const kindName = targets[0]?.kind ?? ''
    const kind = this.kinds.get(kindName)
    // The config check refuses unknown kinds; a pinned plan may outlive the kind it names.
    if (!kind) throw problem('CONFIG_NOT_FOUND', `no traffic provider of kind "${kindName}"`)
    const adapter = kind.open(targets, this.context)
    this.open.set(scope, {
      fingerprint: fingerprintOf(targets),
      targetIds: targets.map(({ id }) => id),
      adapter,
      kind: kindName,
      calls: new Set(),
    })
    for (const { id } of targets) this.scopeByTarget.set(id, scope)
  }

  /** The scopes that these plans' targets are in. */
  namesOf(plans: readonly Plan[]): readonly string[] {
    return [...new Set(plans.flatMap((plan) => plan.targets.map((target) => target.scope)))]
  }

  scopeOf(targetId: string): string | null {
    return this.scopeByTarget.get(targetId) ?? null
  }

  /** Reads every target of one scope. Never throws: what fails is `missing`. */
  async read(name: string, startedMs: number, signal: AbortSignal): Promise<ReadonlyMap<string, TargetReading>> {
    const scope = this.open.get(name)
    if (!scope) return new Map()
    const seconds = this.deps.timer()
    const call = during(scope, scope.adapter.read(scope.targetIds, signal))
    const readings = await byDeadline(call, signal, () => new Map<string, WeightReading>())
    const result = new Map(
      scope.targetIds.map((id): [string, TargetReading] => [
        id,
        {
          ...(readings.get(id) ?? missing('timeout', 'the provider did not answer within the sweep')),
          atMs: startedMs,
        },
      ]),
    )
    this.deps.meter.call(
      'traffic-read',
      scope.kind,
      seconds(),
      [...result.values()].every(({ kind }) => kind === 'weight'),
    )
    return result
  }

  /** Writes to one scope. Never throws. */
  async write(
    name: string,
    changes: readonly WeightChange[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, WriteResult>> {
    const scope = this.open.get(name)
    if (!scope) return new Map()
    const seconds = this.deps.timer()
    const call = during(scope, scope.adapter.write(changes, signal))
    const results = await byDeadline(call, signal, () => new Map<string, WriteResult>())
    const isOk = changes.every(({ targetId }) => results.get(targetId)?.kind === 'applied')
    this.deps.meter.call('traffic-write', scope.kind, seconds(), isOk)
    return results
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.values()].map(closeIdle))
    this.open.clear()
  }
}

async function during<T>(scope: OpenScope, call: Promise<T>): Promise<T> {
  scope.calls.add(call)
  try {
    return await call
  } finally {
    scope.calls.delete(call)
  }
}

async function closeIdle({ calls, adapter }: OpenScope): Promise<void> {
  await Promise.allSettled(calls)
  await adapter.close()
}

function fingerprintOf(targets: readonly PlanTarget[]): string {
  return JSON.stringify(targets)
}
