import type { ResourceRecordSet } from '@aws-sdk/client-route-53'
import { plainName } from './names.ts'

/** The prefixes by which external-dns names its TXT records after the type of the record that they are about. */
const TYPE_PREFIXES = ['a-', 'aaaa-', 'cname-']

/** The names at which external-dns keeps its TXT record about a record, without a prefix or suffix of its user's. */
export function ownershipNames(record: string): readonly string[] {
  return TYPE_PREFIXES.map((prefix) => `${prefix}${record}`)
}

/**
 * Who else writes a record and what to change there, one sentence, judged by the TXT records of external-dns's registry
 * (external-dns, docs/registry/txt.md); null: none of these tells.
 */
export function otherWriterOf(
  record: string,
  setIdentifiers: readonly string[],
  seen: readonly ResourceRecordSet[],
): string | null {
  for (const { Name, Type, SetIdentifier, ResourceRecords = [] } of seen) {
    if (Type !== 'TXT' || !isAbout(plainName(Name ?? ''), record)) continue
    // Its TXT record has the SetIdentifier of the record that it is about.
    if (SetIdentifier !== undefined && !setIdentifiers.includes(SetIdentifier)) continue
    for (const { Value = '' } of ResourceRecords) {
      const owner = ownerIn(Value)
      if (owner !== null) return sentence(record, owner)
    }
  }
  return null
}

interface Owner {
  readonly id: string
  /** E.g. `ingress/shop/checkout`; empty: it doesn't say. */
  readonly resource: string
}

/** With a prefix of its user's (`--txt-prefix`), the type comes right before the name all the same. */
function isAbout(txtName: string, record: string): boolean {
  return txtName === record || TYPE_AND_NAME.exec(headOf(txtName, record)) !== null
}

const TYPE_AND_NAME = /(?:^|[-._])(?:a|aaaa|cname)-$/

/** What is before the record's name; empty: the name does not end in it. */
function headOf(txtName: string, record: string): string {
  return txtName.endsWith(record) ? txtName.slice(0, -record.length) : ''
}

function ownerIn(value: string): Owner | null {
  const text = value.replace(/^"|"$/g, '')
  const fields = new Map(
    text.split(',').map((field): [string, string] => {
      const [key = '', content = ''] = field.split('=', 2)
      return [key, content]
    }),
  )
  const id = fields.get('external-dns/owner')
  if (fields.get('heritage') !== 'external-dns' || id === undefined) return null
  return { id, resource: fields.get('external-dns/resource') ?? '' }
}

function sentence(record: string, { id, resource }: Owner): string {
  const source = resource === '' ? '' : ` for ${resource}`
  return (
    `external-dns (owner ${id}) writes ${record} too${source}: run it with --policy=create-only or ` +
    `--exclude-domains=${record} until the migration is over, and then set the weight that it is to keep in the annotation ` +
    'external-dns.alpha.kubernetes.io/aws-weight there'
  )
}
