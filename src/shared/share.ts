/** Gives one object for all data that are equal. */
export type Share = <T>(value: T) => T

/**
 * Of ten thousand plans most parts are the same, and nobody changes them: each is kept once. What is equal is told by its
 * text, so it must be plain data.
 */
export function createShare(): Share {
  const known = new Map<string, unknown>()
  const kept = new Set<unknown>()
  return <T>(value: T): T => {
    if (kept.has(value)) return value
    const text = JSON.stringify(value)
    if (!known.has(text)) {
      known.set(text, value)
      kept.add(value)
    }
    // The same text is the same data.
    return known.get(text) as T
  }
}
