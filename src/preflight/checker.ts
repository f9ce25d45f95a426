import { CHECKS, type CheckId, type CheckReading } from '../core/check.ts'
import { missing } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import type { PhaseName } from '../core/state.ts'
import type { Checker, Watched } from '../ports/sight.ts'
import { unseen } from './check.ts'
import { CHECKERS } from './registry.ts'
import { type CheckPorts, createWorlds, type Worlds } from './world.ts'

/** How old a reading may get before it is taken again, ms. */
const AGAIN_MS = { unwell: 10_000, well: 60_000, underWay: 30_000 }
/** Sweeps come a little early at times; a look that waits for the next one would come a whole sweep late. */
const SLACK_MS = 1000
/**
 * An API server that does not answer once is no reason to begin a step anew: under way, what was well is taken to be so
 * for this long, and is shown with its own time.
 */
const GRACE_MS = 90_000

/** Phases in which a workload's traffic moves: the `always` checks go on. */
const UNDER_WAY: readonly PhaseName[] = ['preparing', 'stepping', 'baking']

interface Known {
  readonly planHash: string
  readonly phase: PhaseName
  readonly readings: Map<CheckId, CheckReading>
  /** When each check was looked at last, whatever came of it. */
  readonly lookedAtMs: Map<CheckId, number>
}

interface Due {
  readonly plan: Plan
  readonly id: CheckId
  readonly known: Known
}

/** Looks at the checks of plans while they are due. */
export function createChecker(ports: CheckPorts): Checker {
  const byWorkload = new Map<string, Known>()
  const { clock, log } = ports

  const lookAt = async ({ plan, id, known }: Due, worlds: Worlds) => {
    const atMs = clock.nowMs()
    known.lookedAtMs.set(id, atMs)
    const finding = await CHECKERS[id].look(plan, worlds(plan.migration)).catch((error: unknown) => {
      log.error({ check: id, workload: plan.workload, error }, 'a check threw')
      return unseen('the check failed, see the log', missing('bad-answer', 'a defect of Headgate'))
    })
    const before = known.readings.get(id)
    if (finding.outcome === 'missing' && before && isStillGood(before, known.phase, atMs)) return
    known.readings.set(id, { ...finding, atMs })
  }

  return {
    async look(rollouts, signal) {
      forgetOthers(byWorkload, rollouts)
      const due = rollouts.flatMap((watched) => dueOf(watched, knownOf(byWorkload, watched), clock.nowMs()))
      // Where the time is too short for all, those that were left out longest come first.
      const byAge = due.toSorted((a, b) => lookedAtMs(a) - lookedAtMs(b))
      const worlds = createWorlds(ports, signal)
      await Promise.all(byAge.map((one) => lookAt(one, worlds)))
    },
    readings({ workload, hash }) {
      const known = byWorkload.get(workload)
      return known?.planHash === hash ? Object.fromEntries(known.readings) : {}
    },
    close: async () => byWorkload.clear(),
  }
}

function forgetOthers(byWorkload: Map<string, Known>, rollouts: readonly Watched[]): void {
  const names = new Set(rollouts.map(({ plan }) => plan.workload))
  for (const name of byWorkload.keys()) if (!names.has(name)) byWorkload.delete(name)
}

/** What is known under this plan; a rollout that begins anew is looked at anew. */
function knownOf(byWorkload: Map<string, Known>, { plan, phase }: Watched): Known {
  const known = byWorkload.get(plan.workload)
  const beginsAnew = phase === 'preflight' && known?.phase !== 'preflight'
  const isSame = known?.planHash === plan.hash && !beginsAnew
  const { readings, lookedAtMs } = isSame ? known : { readings: new Map(), lookedAtMs: new Map() }
  const now: Known = { planHash: plan.hash, phase, readings, lookedAtMs }
  byWorkload.set(plan.workload, now)
  return now
}

function dueOf({ plan, phase }: Watched, known: Known, nowMs: number): readonly Due[] {
  const isUnderWay = UNDER_WAY.includes(phase)
  if (phase !== 'preflight' && !isUnderWay) return []
  return plan.checks
    .filter(({ id }) => phase === 'preflight' || CHECKS[id].during === 'always')
    .filter(({ id }) => {
      const ageMs = nowMs - (known.lookedAtMs.get(id) ?? Number.NEGATIVE_INFINITY)
      // One from the future, before the clock went back, is as old as can be.
      return ageMs < 0 || ageMs >= againMs(known.readings.get(id), isUnderWay) - SLACK_MS
    })
    .map(({ id }) => ({ plan, id, known }))
}

function againMs(reading: CheckReading | undefined, isUnderWay: boolean): number {
  if (reading === undefined || !isWell(reading)) return AGAIN_MS.unwell
  return isUnderWay ? AGAIN_MS.underWay : AGAIN_MS.well
}

function isWell({ outcome }: CheckReading): boolean {
  return outcome === 'pass' || outcome === 'skipped'
}

function isStillGood(reading: CheckReading, phase: PhaseName, nowMs: number): boolean {
  return UNDER_WAY.includes(phase) && isWell(reading) && nowMs - reading.atMs < GRACE_MS
}

function lookedAtMs({ known, id }: Due): number {
  return known.lookedAtMs.get(id) ?? 0
}
