/** Latencies of the simulated service: log-normal, told by ten buckets. */
import { binomial, type Random } from './random.ts'

export const BOUNDS_SECONDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
/** The latency SLI: slower than this is bad, for at most this share of requests. */
export const SLOW_INDEX = 6
export const SLOW_BUDGET = 0.01

const MEDIAN_SECONDS = 0.08
const P99_SECONDS = 0.3
/** Standard normal, 99th percentile. */
const Z99 = 2.3263

/**
 * Shares of requests slower than each boundary.
 * @param times what the median and the 99th percentile are multiplied by
 */
export function slowShares(times: { readonly p50: number; readonly p99: number }): readonly number[] {
  const median = MEDIAN_SECONDS * times.p50
  const sigma = Math.log((P99_SECONDS * times.p99) / median) / Z99
  return BOUNDS_SECONDS.map((bound) => upperTail(Math.log(bound / median) / sigma))
}

/** Draws how many of `total` requests are slower than each boundary, into `into` from `offset` on. */
export function drawSlower(
  total: number,
  shares: readonly number[],
  random: Random,
  into: Float64Array,
  offset: number,
): void {
  let [left, share] = [total, 1]
  for (const [index, next] of shares.entries()) {
    left = binomial(left, next / share, random)
    share = next
    into[offset + index] = left
  }
}

/** P(Z > z) of the standard normal (Abramowitz and Stegun 26.2.17, error below 1e-7). */
export function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z)
  const t = 1 / (1 + 0.2316419 * z)
  const sum = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum
}
