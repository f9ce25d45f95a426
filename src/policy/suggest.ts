import { distance } from 'fastest-levenshtein'

/** The candidate that was probably meant; null: none is near. */
export function closest(word: string, candidates: readonly string[]): string | null {
  const allowed = Math.max(1, Math.floor(word.length / 3))
  const ranked = candidates
    .map((candidate) => ({ candidate, far: farness(plain(word), plain(candidate)) }))
    .sort((a, b) => a.far - b.far)
  const best = ranked[0]
  return best && best.far <= allowed ? best.candidate : null
}

function farness(a: string, b: string): number {
  // Swapped letters count as two edits, but are one slip.
  return sortedLetters(a) === sortedLetters(b) ? Math.min(1, distance(a, b)) : distance(a, b)
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[-_]/g, '')
}

function sortedLetters(text: string): string {
  return [...text].sort().join('')
}

/** `did you mean "hold"?`, or the candidates to choose from. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const meant = closest(word, candidates)
  if (meant) return `did you mean "${meant}"?`
  if (candidates.length === 0) return 'nothing of that sort is defined'
  return `one of: ${candidates.slice(0, 12).join(', ')}${candidates.length > 12 ? ', …' : ''}`
}
