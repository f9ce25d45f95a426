import type { Place } from './zone.ts'

/** The owner that external-dns wrote into a TXT record beside its own; null: it is no record of ownership. */
export function externalDnsOwner(texts: readonly string[]): string | null {
  for (const text of texts) {
    const words = text.replaceAll('"', '').split(',')
    if (!words.includes('heritage=external-dns')) continue
    const owner = words.find((word) => word.startsWith('external-dns/owner='))
    return owner?.slice('external-dns/owner='.length) ?? 'unknown'
  }
  return null
}

/** The names under which external-dns keeps the ownership of a record: with its type before it, and in its old form. */
export function ownershipNames({ record, type }: Place): readonly string[] {
  return [`${type.toLowerCase()}-${record}`, record]
}

export function otherWriter(owner: string | null, { record }: Place): string | null {
  if (owner === null) return null
  return `external-dns (owner ${owner}) writes ${record} too: exclude it there, e.g. by --exclude-domains or by the annotation of its source`
}
