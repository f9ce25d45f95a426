/**
 * Kayenta, its default judge (NetflixACAJudge). Each metric's time series of NEW and OLD are compared by a Mann-Whitney U test at a
 * confidence of 98 %: `High` where the lower end of the shift's confidence interval lies above 0.25 × the Hodges-Lehmann estimate
 * of the shift. The score is the share of metrics that pass; below `marginal` (75) the canary fails. A metric without data is not
 * counted. The series are the ticks' shares of bad and of slow requests, judged at an interval over all of the step so far
 * (cumulative) or over the last ten ticks (look-back).
 *
 * https://spinnaker.io/docs/guides/user/canary/judge/; spinnaker/kayenta, NetflixACAJudge.scala (fraction 0.25, confLevel 0.98) and
 * MannWhitneyClassifier.scala. The interval is R's `wilcox.test` for ties: normal, with corrections for ties and continuity.
 */
import type { Peer } from '../decider.ts'
import type { Past } from '../past.ts'

const FRACTION = 0.25
const MARGINAL = 75
const LOOK_BACK_TICKS = 10

export interface KayentaSetting {
  readonly confidencePercent: number
  readonly series: 'cumulative' | 'look-back'
  /** How often the judge is asked. */
  readonly intervalTicks: number
}

export function kayenta(setting: KayentaSetting, stageOf: (tick: number) => number, stageTicks: number): Peer {
  const { confidencePercent, series, intervalTicks } = setting
  const critical = quantileOf(1 - (1 - confidencePercent / 100) / 2)
  return {
    family: `Kayenta ${series}`,
    setting: `${confidencePercent} %, every ${intervalTicks / 2} min`,
    isDefault: confidencePercent === 98 && intervalTicks === 10,
    begin: () => (past, tick) => {
      if ((tick + 1) % intervalTicks !== 0) return 'on'
      const from = series === 'cumulative' ? stageOf(tick) * stageTicks : Math.max(0, tick - LOOK_BACK_TICKS + 1)
      const metrics = METRICS.map((metric) => {
        const z = past.once(`kayenta/${series}/${metric}`, tick, () =>
          leastZ(seriesOf(past, 'new', [from, tick], metric), seriesOf(past, 'old', [from, tick], metric)),
        )
        return z === NO_DATA ? 'no data' : z > critical ? 'high' : 'pass'
      })
      const judged = metrics.filter((metric) => metric !== 'no data')
      const score = (100 * judged.filter((metric) => metric === 'pass').length) / judged.length
      return judged.length > 0 && score < MARGINAL ? 'revert' : 'on'
    },
  }
}

const METRICS = ['bad', 'slow'] as const
const NO_DATA = Number.NEGATIVE_INFINITY

/** One value a tick; ticks without requests are NaN, which the judge removes. */
function seriesOf(
  past: Past,
  side: 'old' | 'new',
  [from, to]: readonly [number, number],
  metric: (typeof METRICS)[number],
): readonly number[] {
  const values: number[] = []
  for (let tick = from; tick <= to; tick++) {
    const sums = past.sums(side, tick, tick)
    if (sums.total > 0) values.push(sums[metric] / sums.total)
  }
  return values
}

/**
 * How sure the judge is that a metric has risen, in standard errors: it says `High` where this is beyond its confidence. The
 * interval's lower end lies above a shift exactly where the test rejects that shift.
 */
export function leastZ(experiment: readonly number[], control: readonly number[]): number {
  if (experiment.length === 0 || control.length === 0) return NO_DATA
  const z = zOfShift(experiment, control, 0)
  // Often not even a shift of 0 is in doubt, and a greater one is less.
  if (z < 1) return z
  return zOfShift(experiment, control, FRACTION * Math.abs(hodgesLehmann(experiment, control)))
}

/** The rank-sum test of `a − shift` against `b`, in standard errors; 0: it cannot be told. */
export function zOfShift(a: readonly number[], b: readonly number[], shift: number): number {
  const all = new Float64Array(a.length + b.length)
  let wins = 0
  for (const [index, value] of a.entries()) {
    const shifted = value - shift
    all[index] = shifted
    for (const other of b) wins += shifted > other ? 1 : shifted === other ? 0.5 : 0
  }
  all.set(b, a.length)
  const ties = tieTerm(all.sort())
  const [m, n] = [a.length, b.length]
  const excess = wins - (m * n) / 2
  const variance = ((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1)))
  return variance > 0 ? (excess - Math.sign(excess) * 0.5) / Math.sqrt(variance) : 0
}

/** Σ(t³ − t) over groups of equal values. */
function tieTerm(sorted: Float64Array): number {
  let [sum, length] = [0, 1]
  for (let index = 1; index <= sorted.length; index++) {
    if (index < sorted.length && sorted[index] === sorted[index - 1]) {
      length++
      continue
    }
    sum += length ** 3 - length
    length = 1
  }
  return sum
}

/** The median of all differences. */
export function hodgesLehmann(a: readonly number[], b: readonly number[]): number {
  const differences = new Float64Array(a.flatMap((x) => b.map((y) => x - y))).sort()
  const middle = differences.length >> 1
  const upper = differences[middle] ?? 0
  return differences.length % 2 === 1 ? upper : (upper + (differences[middle - 1] ?? 0)) / 2
}

/** Standard normal quantile for p in (0.5, 1) (Abramowitz and Stegun 26.2.23, error below 4.5e-4). */
export function quantileOf(p: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - p))
  return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
}
