import { externalDnsOwner, ownershipNames } from '../external-dns.ts'
import type { Rrset } from './api.ts'
import type { PowerdnsSettings } from './settings.ts'

/** The names at which somebody may have left word that the record is theirs. */
export function namesOfOwners({ zone, record, type }: PowerdnsSettings): readonly string[] {
  // Before the top of a zone that would be a name of another zone.
  return ownershipNames(record, record === zone ? [] : [type])
}

/** Who else writes the record, and what to change there; undefined: nobody has left word. */
export function otherWriterOf(settings: PowerdnsSettings, rrsets: readonly Rrset[]): string | undefined {
  return externalDns(settings, rrsets) ?? commentator(settings, rrsets)
}

/** external-dns puts its ownership into a TXT record at the name, or at the name with its type before it. */
function externalDns(settings: PowerdnsSettings, rrsets: readonly Rrset[]): string | undefined {
  const names = namesOfOwners(settings)
  for (const { name, type, records } of rrsets) {
    if (type !== 'TXT' || !names.includes(name)) continue
    const [owner] = records.flatMap(({ content }) => externalDnsOwner(content) ?? [])
    if (owner === undefined) continue
    return (
      `external-dns (owner ${owner.id}) writes ${settings.record} for ${owner.resource || 'a resource'}: delete its TXT record ` +
      `${name}, and annotate that resource with external-dns.alpha.kubernetes.io/controller: none`
    )
  }
  return undefined
}

/** Tools that write zones tell so in a comment; what a person noted there is no writer. */
const TOOL = /external-dns|octodns|dnscontrol|terraform|managed by/i

function commentator({ record, type }: PowerdnsSettings, rrsets: readonly Rrset[]): string | undefined {
  const comments = rrsets
    .filter((rrset) => rrset.name === record && (rrset.type === type || rrset.type === 'LUA'))
    .flatMap((rrset) => rrset.comments ?? [])
  const comment = comments.find(({ content, account }) => TOOL.test(`${account} ${content}`))
  if (!comment) return undefined
  const said = JSON.stringify(comment.content.slice(0, 80))
  const whose = JSON.stringify(comment.account.slice(0, 40))
  return `a comment by ${whose} on ${record} says ${said}: have that tool leave the record out, then delete the comment`
}
