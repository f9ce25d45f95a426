import { Problem } from '../../core/problem.ts'
import { type ExternalDnsOwner, externalDnsOwner } from '../external-dns.ts'
import type { Found } from './find.ts'
import { plainName } from './names.ts'
import type { Route53Settings } from './settings.ts'

/** Who owns a record by what external-dns noted, by the record's plain name. */
export type Owners = ReadonlyMap<string, readonly Owner[]>

interface Owner extends ExternalDnsOwner {
  /** That of the record that it is about, where that is a weighted one. */
  readonly setIdentifier: string | undefined
}

/** The owners that TXT records of external-dns's registry tell. */
export function ownersIn({ byName, alongside }: Found): Owners {
  const owners = new Map<string, Owner[]>()
  const named = [...byName.values()].flatMap((sets) => (sets instanceof Problem ? [] : sets))
  for (const { Name, Type, SetIdentifier, ResourceRecords = [] } of [...named, ...alongside]) {
    if (Type !== 'TXT') continue
    const found = ResourceRecords.flatMap(({ Value = '' }) => {
      const owner = externalDnsOwner(Value)
      return owner ? [{ ...owner, setIdentifier: SetIdentifier }] : []
    })
    if (found.length === 0) continue
    for (const record of aboutWhich(plainName(Name ?? '')))
      owners.set(record, [...(owners.get(record) ?? []), ...found])
  }
  return owners
}

/** Who else writes a target's records and what to change there, one sentence; null: nobody that can be seen. */
export function otherWriterOf({ record, old, new: fresh }: Route53Settings, owners: Owners): string | null {
  const owner = owners
    .get(record)
    ?.find(({ setIdentifier }) => setIdentifier === undefined || setIdentifier === old || setIdentifier === fresh)
  return owner ? sentence(record, owner) : null
}

/** The names that a TXT record may be about. With a prefix of its user's (`--txt-prefix`) the type comes right before the name too. */
function aboutWhich(txtName: string): readonly string[] {
  return [txtName, ...[...txtName.matchAll(TYPE_MARK)].map(({ index, 0: mark }) => txtName.slice(index + mark.length))]
}

const TYPE_MARK = /(?<=^|[-._])(?:a|aaaa|cname)-/g

function sentence(record: string, { id, resource }: Owner): string {
  const source = resource === '' ? '' : ` for ${resource}`
  return (
    `external-dns (owner ${id}) writes ${record} too${source}: run it with --policy=create-only or ` +
    `--exclude-domains=${record} until the migration is over, and then set the weight that it is to keep in the annotation ` +
    'external-dns.alpha.kubernetes.io/aws-weight there'
  )
}
