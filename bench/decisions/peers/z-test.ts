/**
 * What many write themselves: a one-sided two-proportion z-test with a pooled variance (NIST/SEMATECH e-Handbook of Statistical
 * Methods, §7.3.3), of everything since the step began, looked at after every tick. Its error bound holds for one look alone.
 */
import type { Peer } from '../decider.ts'
import type { Past } from '../past.ts'

export interface ZSetting {
  /** Standard errors that revert. */
  readonly z: number
  /** Bad events on NEW below which the normal is no good, as the usual rule of thumb has it; 0: not looked at. */
  readonly leastBad: number
}

export function zTest({ z, leastBad }: ZSetting, stageOf: (tick: number) => number, stageTicks: number): Peer {
  return {
    family: 'z-test each tick',
    setting: `z ≥ ${z}${leastBad === 0 ? '' : `, at least ${leastBad} bad`}`,
    isDefault: z === 2.33 && leastBad === 0,
    begin: () => (past, tick) =>
      SIGNALS.some((signal) => fires(past, signal, [stageOf(tick) * stageTicks, tick], { z, leastBad }))
        ? 'revert'
        : 'on',
  }
}

const SIGNALS = ['bad', 'slow'] as const

function fires(past: Past, signal: (typeof SIGNALS)[number], [from, tick]: readonly [number, number], at: ZSetting) {
  const score = past.once(`z/${signal}`, tick, () => {
    const [old, fresh] = [past.sums('old', from, tick), past.sums('new', from, tick)]
    return zOf({ total: fresh.total, bad: fresh[signal] }, { total: old.total, bad: old[signal] })
  })
  return score >= at.z && past.sums('new', from, tick)[signal] >= at.leastBad
}

interface Proportion {
  readonly total: number
  readonly bad: number
}

/** How many standard errors `a`'s share lies above `b`'s; 0: it cannot be told. */
export function zOf(a: Proportion, b: Proportion): number {
  if (a.total === 0 || b.total === 0) return 0
  const pooled = (a.bad + b.bad) / (a.total + b.total)
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / a.total + 1 / b.total))
  return error === 0 ? 0 : (a.bad / a.total - b.bad / b.total) / error
}
