/** Weights are compared in tenths of a percent, the step that config and providers share. */
export function sameWeight(a: number, b: number): boolean {
  return Math.round(a * 10) === Math.round(b * 10)
}

export function includesWeight(weights: readonly number[], weight: number): boolean {
  return weights.some((w) => sameWeight(w, weight))
}
