/** What a TXT record of external-dns's registry says (external-dns, docs/registry/txt.md). */
export interface ExternalDnsOwner {
  readonly id: string
  /** What the record is for, e.g. `ingress/shop/checkout`; empty: it doesn't say. */
  readonly resource: string
}

/** Who says in one value of a TXT record that external-dns owns a record; null: it is none of external-dns's. */
export function externalDnsOwner(value: string): ExternalDnsOwner | null {
  const fields = new Map(
    value
      .replaceAll('"', '')
      .split(',')
      .map((field): [string, string] => {
        const [key = '', content = ''] = field.split('=', 2)
        return [key, content]
      }),
  )
  if (fields.get('heritage') !== 'external-dns') return null
  return {
    id: fields.get('external-dns/owner') ?? 'not named',
    resource: fields.get('external-dns/resource') ?? '',
  }
}

/** The names at which external-dns keeps word about a record of one of these types: its own name in the old form. */
export function ownershipNames(record: string, types: readonly string[]): readonly string[] {
  return [record, ...types.map((type) => `${type.toLowerCase()}-${record}`)]
}
