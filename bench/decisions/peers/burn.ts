/**
 * Burn rates of NEW over two windows at once.
 *
 * The SRE workbook's own table (chapter 5, "Alerting on SLOs", table 5-8, https://sre.google/workbook/alerting-on-slos/): page at
 * 14.4 over 1 h and 5 min, page at 6 over 6 h and 30 min, ticket at 1 over 3 days and 6 h. A page is taken as a revert, a ticket as
 * a halt. Windows that reach back beyond NEW's first request hold what there is.
 *
 * And the same idea shortened to a rollout's steps, with a guard against little traffic: 14.4 over 5 min and 1 min, 6 over 30 min
 * and 5 min, each only where the window has seen enough requests × budget. Its guard is a second knob; where that is turned too, it
 * is told as a family of its own.
 */
import type { Peer, Say } from '../decider.ts'
import { SLOW_BUDGET } from '../latency.ts'
import type { Past } from '../past.ts'
import { BUDGET } from '../scenarios.ts'

interface Pair {
  readonly longTicks: number
  readonly shortTicks: number
  readonly factor: number
  /** Requests × budget that each window must have seen. */
  readonly guard: number
  readonly then: Say
}

const WORKBOOK: readonly Pair[] = [
  { longTicks: 120, shortTicks: 10, factor: 14.4, guard: 0, then: 'revert' },
  { longTicks: 720, shortTicks: 60, factor: 6, guard: 0, then: 'revert' },
  { longTicks: 8640, shortTicks: 720, factor: 1, guard: 0, then: 'halt' },
]

/** @param times what the factors are multiplied by */
export function workbook(times: number): Peer {
  return burnPeer('SRE workbook', `factors × ${times}`, times === 1, scaled(WORKBOOK, times))
}

export interface ShortBurnSetting {
  /** What the factors, and the guards, are multiplied by. */
  readonly factors: number
  readonly guards: number
  /** What the slower pair does. */
  readonly second: 'halt' | 'revert'
}

export function shortBurn({ factors, guards, second }: ShortBurnSetting): Peer {
  const pairs: readonly Pair[] = [
    { longTicks: 10, shortTicks: 2, factor: 14.4, guard: 0.3 * guards, then: 'revert' },
    { longTicks: 60, shortTicks: 10, factor: 6, guard: 1.2 * guards, then: second },
  ]
  const setting = `factors × ${factors}, guards × ${guards}, 30m/5m: ${second}`
  const isDefault = factors === 1 && guards === 1 && second === 'revert'
  const family = guards === 1 ? '5m/1m + 30m/5m with guard' : '5m/1m + 30m/5m with its guard turned too'
  return burnPeer(family, setting, isDefault, scaled(pairs, factors))
}

function scaled(pairs: readonly Pair[], times: number): readonly Pair[] {
  return pairs.map((pair) => ({ ...pair, factor: pair.factor * times }))
}

function burnPeer(family: string, setting: string, isDefault: boolean, pairs: readonly Pair[]): Peer {
  return { family, setting, isDefault, begin: () => (past, tick) => worst(pairs, past, tick) }
}

function worst(pairs: readonly Pair[], past: Past, tick: number): Say {
  let say: Say = 'on'
  for (const pair of pairs) {
    if (say === 'revert' || !fires(pair, past, tick)) continue
    say = pair.then
  }
  return say
}

function fires({ longTicks, shortTicks, factor, guard }: Pair, past: Past, tick: number): boolean {
  const long = past.sums('new', tick - longTicks + 1, tick)
  const short = past.sums('new', tick - shortTicks + 1, tick)
  const burns = (signal: 'bad' | 'slow', budget: number) =>
    [long, short].every(
      (sums) => sums.total > 0 && sums.total * budget >= guard && sums[signal] / sums.total / budget > factor,
    )
  return burns('bad', BUDGET) || burns('slow', SLOW_BUDGET)
}
