import type { CalendarReading } from '../core/calendar.ts'
import type { Plan, PlanStep, PlanTarget, Trial } from '../core/plan.ts'

/** What a forecast takes for granted. */
export interface Assumed {
  /** A step acts on what the sweep before has read, so a write is read back a sweep later, seconds. */
  readonly sweepSeconds: number
  /** TTL that names have now: nobody is asked, seconds. */
  readonly ttlSeconds: number
  /** null: always open. */
  readonly calendar: { at(nowMs: number): CalendarReading } | null
}

/** One workload's way, each time the earliest that is possible. A time is null when the calendar never lets it come. */
export interface WorkloadForecast {
  readonly workload: string
  readonly policy: string
  readonly after: readonly string[]
  readonly startsAtMs: number | null
  /** What it waited for last, or why it never starts; null: it starts right away. */
  readonly waitedFor: string | null
  /** Until the old TTLs are waited out. */
  readonly preparedAtMs: number | null
  readonly steps: readonly StepForecast[]
  readonly bakesAtMs: number | null
  /** Those that wait for it may start then. */
  readonly bakedAtMs: number | null
  /** OLD was quiet for the drain time. */
  readonly endsAtMs: number | null
  /** The calendar's sentence, where it never lets it end; null: it ends, or never starts. */
  readonly stuckBy: string | null
}

export interface StepForecast {
  readonly weightPercent: number
  readonly trial: Trial | null
  readonly atMs: number
  /** The calendar's sentence, where it kept the step waiting. */
  readonly waitedFor: string | null
  /** Read back, propagated, and no resolver has the old answer any more. */
  readonly inForceAtMs: number
  /** Held, and warmed up. */
  readonly doneAtMs: number
  /** Somebody must approve: roles, empty for any operator; null: nobody. */
  readonly approval: readonly string[] | null
}

/** A call that changes a scope of a provider. */
export interface PlannedWrite {
  readonly atMs: number
  readonly kind: string
  readonly scope: string
}

/** The way of a workload that starts then, and its writes. */
export function forecastWorkload(
  plan: Plan,
  startMs: number,
  waitedFor: string | null,
  assumed: Assumed,
): { readonly forecast: WorkloadForecast; readonly writes: readonly PlannedWrite[] } {
  const names = plan.targets.filter(({ movingTtlSeconds }) => movingTtlSeconds !== null)
  const boomerangs = plan.targets.filter(({ role }) => role === 'boomerang')
  const splits = plan.targets.filter(({ role }) => role === 'split')
  const writes = [...writesTo(boomerangs, startMs), ...writesTo(names, startMs)]
  const preparedAtMs = preparedAt(names, startMs, assumed)
  const steps: StepForecast[] = []
  let readyMs = preparedAtMs
  let stuckBy = preparedAtMs === null ? openingFrom(startMs, assumed).waitedFor : null
  for (const [index, step] of plan.steps.entries()) {
    if (readyMs === null) break
    const opening = openingFrom(readyMs, assumed)
    if (opening.atMs === null) {
      stuckBy = opening.waitedFor
      readyMs = null
      break
    }
    const isWrite = isOther(step, plan.steps[index - 1])
    if (isWrite) writes.push(...writesTo(splits, opening.atMs))
    steps.push(stepFrom(step, opening.atMs, opening.waitedFor, { isWrite, splits, sweepSeconds: assumed.sweepSeconds }))
    readyMs = steps.at(-1)?.doneAtMs ?? null
  }
  // Baking begins as a step does: when nothing holds.
  const baking = readyMs === null ? null : openingFrom(readyMs, assumed)
  if (baking?.atMs === null) stuckBy = baking.waitedFor
  const bakesAtMs = baking?.atMs ?? null
  const bakedAtMs = later(bakesAtMs, plan.bakeSeconds)
  const endsAtMs = later(bakedAtMs, plan.drainSeconds)
  if (endsAtMs !== null) writes.push(...writesTo(names, endsAtMs))
  const { workload, policy, after } = plan
  const times = { startsAtMs: startMs, waitedFor, preparedAtMs, bakesAtMs, bakedAtMs, endsAtMs, stuckBy }
  return { forecast: { workload, policy, after, ...times, steps }, writes }
}

/** One that never starts. */
export function neverStarts({ workload, policy, after }: Plan, why: string): WorkloadForecast {
  const never = { startsAtMs: null, preparedAtMs: null, bakesAtMs: null, bakedAtMs: null, endsAtMs: null }
  return { workload, policy, after, ...never, waitedFor: why, stuckBy: null, steps: [] }
}

/** The first moment from then on at which traffic may be raised; null: none is known. */
export function openingFrom(
  fromMs: number,
  { calendar }: Pick<Assumed, 'calendar'>,
): { readonly atMs: number | null; readonly waitedFor: string | null } {
  const reading = calendar?.at(fromMs)
  if (!reading || reading.isOpen) return { atMs: fromMs, waitedFor: null }
  return { atMs: reading.changesAtMs, waitedFor: reading.sentence }
}

/** TTLs are waited out while the calendar is open: what holds a rollout holds its preparation. */
function preparedAt(names: readonly PlanTarget[], startMs: number, assumed: Assumed): number | null {
  if (names.length === 0) return startMs
  const propagation = Math.max(...names.map(({ propagationSeconds }) => propagationSeconds))
  let leftMs = (assumed.sweepSeconds + propagation + assumed.ttlSeconds) * 1000
  let ms: number | null = startMs
  while (ms !== null) {
    const reading: CalendarReading | undefined = assumed.calendar?.at(ms)
    const untilMs: number | null = reading ? reading.changesAtMs : null
    if (!reading || reading.isOpen) {
      if (untilMs === null || ms + leftMs <= untilMs) return ms + leftMs
      leftMs -= untilMs - ms
    }
    ms = untilMs
  }
  return null
}

function stepFrom(
  { weightPercent, trial, holdSeconds, warm, approval }: PlanStep,
  atMs: number,
  waitedFor: string | null,
  about: { readonly isWrite: boolean; readonly splits: readonly PlanTarget[]; readonly sweepSeconds: number },
): StepForecast {
  const settleSeconds = Math.max(0, ...about.splits.map(({ propagationSeconds }) => propagationSeconds))
  const ttlSeconds = Math.max(0, ...about.splits.map(({ movingTtlSeconds }) => movingTtlSeconds ?? 0))
  const inForceAtMs = about.isWrite ? atMs + (about.sweepSeconds + settleSeconds + ttlSeconds) * 1000 : atMs
  const warmSeconds = warm === null ? 0 : warm.requests / warm.perSecond
  const doneAtMs = inForceAtMs + Math.max(holdSeconds, warmSeconds) * 1000
  return { weightPercent, trial, atMs, waitedFor, inForceAtMs, doneAtMs, approval: approval?.roles ?? null }
}

/** A step that only waits, warms up or asks keeps the weight of the one before; a trial is written each time. */
function isOther(step: PlanStep, before: PlanStep | undefined): boolean {
  if (before === undefined || before.trial !== null || step.trial !== null) return true
  return step.weightPercent !== before.weightPercent
}

/** One call a scope: it takes all the targets that the workload has there. */
function writesTo(targets: readonly PlanTarget[], atMs: number): readonly PlannedWrite[] {
  const byScope = new Map(targets.map(({ kind, scope }) => [scope, { atMs, kind, scope }]))
  return [...byScope.values()]
}

function later(ms: number | null, seconds: number): number | null {
  return ms === null ? null : ms + seconds * 1000
}
