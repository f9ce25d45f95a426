import type { Urgency } from '../core/effect.ts'
import { type Missing, missing, type TargetReading } from '../core/observation.ts'
import type { Json, Plan, PlanTarget } from '../core/plan.ts'
import { problem } from '../core/problem.ts'
import type { AdapterContext } from '../ports/kind.ts'
import type { Quota } from '../ports/quota.ts'
import type { Meter } from '../ports/runtime.ts'
import type { SpanFields } from '../ports/tracer.ts'
import type { TrafficKind, TrafficScope, WeightChange, WeightReading, WriteResult } from '../ports/traffic.ts'
import { byDeadline, within } from '../shared/deadline.ts'
import { ReadTurns } from './read-turns.ts'
import type { Timer } from './timer.ts'

/** An adapter that has not closed by then is left to itself, ms. */
const CLOSE_TIMEOUT_MS = 10_000
/** Of many targets a span names the first. */
const MOST_NAMES = 20

interface OpenScope {
  /** JSON of its targets: another one means that the scope is opened anew. */
  readonly fingerprint: string
  readonly targetIds: readonly string[]
  readonly adapter: TrafficScope
  readonly kind: string
  readonly turns: ReadTurns
  /** Calls under way: the adapter is closed after them. */
  readonly calls: Set<Promise<unknown>>
}

export interface ScopeReading {
  readonly readings: ReadonlyMap<string, TargetReading>
  /** The deadline came while the read still waited for the account's quota: nothing is known against the provider. */
  readonly isQuotaLate: boolean
}

export interface ScopesDeps {
  readonly meter: Meter
  readonly timer: Timer
  /** By kind: what its targets share. */
  readonly accounts: Readonly<Record<string, Json>>
}

/** The open traffic scopes, one adapter each. */
export class Scopes {
  private readonly open = new Map<string, OpenScope>()
  private readonly closing = new Set<Promise<void>>()
  private readonly scopeByTarget = new Map<string, string>()
  /** Whose scopes are open; null: not known, look. */
  private plans: readonly Plan[] | null = null
  private readonly kinds: ReadonlyMap<string, TrafficKind>
  private readonly context: AdapterContext
  private readonly deps: ScopesDeps

  constructor(kinds: readonly TrafficKind[], context: AdapterContext, deps: ScopesDeps) {
    this.kinds = new Map(kinds.map((kind) => [kind.kind, kind]))
    this.context = context
    this.deps = deps
  }

  /**
   * Opens the scopes that these plans need, keeps those that did not change, and has the others close by themselves:
   * a call that hangs in one of them must not stop the sweeps.
   */
  use(plans: readonly Plan[]): void {
    // A revert's write waits for this, and its plans are nearly always the same as before.
    const before = this.plans
    if (before?.length === plans.length && plans.every((plan, index) => plan === before[index])) return
    // Should one fail to open, the next call tries again.
    this.plans = null
    const wanted = Map.groupBy(
      plans.flatMap((plan) => plan.targets),
      (target) => target.scope,
    )
    const gone = [...this.open].filter(
      ([scope, { fingerprint }]) => fingerprintOf(wanted.get(scope) ?? []) !== fingerprint,
    )
    for (const [name, scope] of gone) {
      this.open.delete(name)
      for (const id of scope.targetIds) this.scopeByTarget.delete(id)
      this.closeLater(scope)
    }
    for (const [scope, targets] of wanted) if (!this.open.has(scope)) this.openScope(scope, targets)
    this.plans = plans
  }

  private openScope(scope: string, targets: readonly PlanTarget[]): void {
    const kindName = targets[0]?.kind ?? ''
    const kind = this.kinds.get(kindName)
    // The config check refuses unknown kinds; a pinned plan may outlive the kind it names.
    if (!kind) throw problem('CONFIG_NOT_FOUND', `no traffic provider of kind "${kindName}"`)
    const turns = new ReadTurns()
    const context = { ...this.context, quotas: turns.over(this.context.quotas) }
    const adapter = kind.open(targets, this.deps.accounts[kindName], context)
    this.open.set(scope, {
      fingerprint: fingerprintOf(targets),
      targetIds: targets.map(({ id }) => id),
      adapter,
      kind: kindName,
      turns,
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

  /** Reads every target of one scope; `revert`: one waits for it. Never throws: what fails is `missing`. */
  async read(name: string, startedMs: number, urgency: Urgency, signal: AbortSignal): Promise<ScopeReading> {
    const scope = this.open.get(name)
    if (!scope) return { readings: new Map(), isQuotaLate: false }
    const fields = () => ({ 'headgate.scope': name, 'headgate.provider': scope.kind, 'headgate.urgency': urgency })
    return this.context.tracer.span('headgate.traffic.read', fields, async (span) => {
      const reading = await this.readOpen(scope, startedMs, urgency, signal)
      const lacking = [...reading.readings.values()].find((one) => one.kind === 'missing')
      if (lacking) span.fail(`${lacking.why}: ${lacking.detail}`)
      return reading
    })
  }

  private async readOpen(
    scope: OpenScope,
    startedMs: number,
    urgency: Urgency,
    signal: AbortSignal,
  ): Promise<ScopeReading> {
    const { adapter, targetIds, turns } = scope
    const seconds = this.deps.timer()
    let isQuotaLate = false
    const all = (why: Missing) => {
      isQuotaLate = why.why === 'timeout' && turns.isWaiting
      const cause = isQuotaLate ? missing('timeout', "the account's quota had no room for the read in this sweep") : why
      return new Map<string, WeightReading>(targetIds.map((id) => [id, cause]))
    }
    const read = () => adapter.read(targetIds, signal)
    // Around the deadline, not within it: an adapter that hangs must not have its scope's reads go first for ever.
    const readings = await turns.during(urgency, () => this.ask(scope, read, signal, all))
    const result = new Map(
      targetIds.map((id): [string, TargetReading] => [
        id,
        { ...(readings.get(id) ?? missing('bad-answer', 'the provider said nothing of it')), atMs: startedMs },
      ]),
    )
    this.deps.meter.call(
      'traffic-read',
      scope.kind,
      seconds(),
      [...result.values()].every(({ kind }) => kind === 'weight'),
    )
    return { readings: result, isQuotaLate }
  }

  /** How often this scope needs reading while nothing is on its way to it, seconds. */
  restSecondsOf(name: string): number {
    return this.open.get(name)?.adapter.restSeconds ?? 0
  }

  /** The quota that a write to this scope takes from; null: none. */
  quotaOf(name: string): Quota | null {
    return this.open.get(name)?.adapter.quota ?? null
  }

  /** Writes to one scope. Never throws. */
  async write(
    name: string,
    changes: readonly WeightChange[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, WriteResult>> {
    const scope = this.open.get(name)
    if (!scope) return new Map()
    return this.context.tracer.span(
      'headgate.traffic.write',
      () => fieldsOf(name, scope.kind, changes),
      async (span) => {
        const seconds = this.deps.timer()
        const none = () => new Map<string, WriteResult>()
        const results = await this.ask(scope, () => scope.adapter.write(changes, signal), signal, none)
        const failed = changes.find(({ targetId }) => !isTaken(results.get(targetId)))
        this.deps.meter.call('traffic-write', scope.kind, seconds(), failed === undefined)
        if (failed) span.fail(failureOf(results.get(failed.targetId)))
        return results
      },
    )
  }

  /** Closes what is open, once its calls have ended. */
  async close(): Promise<void> {
    for (const scope of this.open.values()) this.closeLater(scope)
    this.open.clear()
    this.scopeByTarget.clear()
    this.plans = null
    await Promise.all(this.closing)
  }

  /** An adapter must neither throw nor forget its deadline; one that does is noted, and costs nobody else anything. */
  private async ask<T>(
    scope: OpenScope,
    call: () => Promise<T>,
    signal: AbortSignal,
    without: (why: Missing) => T,
  ): Promise<T> {
    const answer = (async () => call())()
    scope.calls.add(answer)
    const forget = () => scope.calls.delete(answer)
    answer.then(forget, forget)
    try {
      return await byDeadline(answer, signal, () =>
        without(missing('timeout', 'the provider did not answer within the sweep')),
      )
    } catch (error) {
      this.context.log.error({ kind: scope.kind, error }, 'a traffic adapter threw')
      return without(missing('bad-answer', 'the traffic adapter failed: see the log'))
    }
  }

  private closeLater(scope: OpenScope): void {
    const { clock, log } = this.context
    const closed = within(clock, CLOSE_TIMEOUT_MS, (signal) =>
      byDeadline(closeIdle(scope), signal, () => log.warn({ kind: scope.kind }, 'a traffic adapter does not close')),
    )
      .catch((error: unknown) => log.error({ kind: scope.kind, error }, 'a traffic adapter failed to close'))
      .finally(() => this.closing.delete(closed))
    this.closing.add(closed)
  }
}

function fieldsOf(scope: string, provider: string, changes: readonly WeightChange[]): SpanFields {
  return {
    'headgate.scope': scope,
    'headgate.provider': provider,
    'headgate.urgency': changes.some(({ urgency }) => urgency === 'revert') ? 'revert' : 'forward',
    'headgate.changes': changes.length,
    'headgate.targets': changes.slice(0, MOST_NAMES).map(({ targetId }) => targetId),
  }
}

function isTaken(result: WriteResult | undefined): boolean {
  return result?.kind === 'applied' || result?.kind === 'deferred'
}

function failureOf(result: WriteResult | undefined): string {
  return result?.kind === 'failed' ? `${result.problem.code}: ${result.problem.cause}` : 'the provider gave no answer'
}

async function closeIdle({ calls, adapter }: OpenScope): Promise<void> {
  await Promise.allSettled(calls)
  await adapter.close()
}

function fingerprintOf(targets: readonly PlanTarget[]): string {
  return JSON.stringify(targets)
}
