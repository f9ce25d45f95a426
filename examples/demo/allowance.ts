/**
 * What a service serves well: so many requests a second, with bursts of up to one second's worth (a token bucket).
 * Returns a function that says, for a request that arrives now, whether it is still within.
 */
export function createAllowance(perSecond: number, nowMs: () => number): () => boolean {
  let left = perSecond
  let atMs = nowMs()
  return () => {
    const now = nowMs()
    left = Math.min(perSecond, left + ((now - atMs) / 1000) * perSecond)
    atMs = now
    if (left < 1) return false
    left -= 1
    return true
  }
}
