import type { Place } from './zone.ts'

/** One sentence: who else writes a place, and what to change there; null: nobody that is known. */
export function otherWriter(owner: string | null, { record }: Place): string | null {
  if (owner === null) return null
  return `external-dns (owner ${owner}) writes ${record} too: exclude it there, e.g. by --exclude-domains or by the annotation of its source`
}
