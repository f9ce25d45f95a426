import dns, { type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { buildConnector } from 'undici'

/**
 * Link-local addresses, and those at which clouds tell a machine its secrets: whoever can make Headgate ask one of them
 * (a URL, a name in DNS, a redirect) could read what is meant for Headgate's machine alone.
 */
const GUARDED: readonly string[] = [
  '169.254.0.0/16',
  'fe80::/10',
  // AWS and Google by IPv6, Azure's wire server, Alibaba, Oracle.
  'fd00:ec2::/32',
  'fd20:ce::254',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  // The first of them behind NAT64.
  '64:ff9b::169.254.0.0/112',
]

/** An address or a range (`169.254.10.0/24`) as it is written; null: it is none. */
export function parseRange(text: string): Range | null {
  const [address = '', digits, ...more] = text.split('/')
  const family = isIP(address)
  const bits = family === 4 ? 32 : 128
  if (family === 0 || address.includes('%') || more.length > 0) return null
  if (digits !== undefined && (!/^\d{1,3}$/.test(digits) || Number(digits) > bits)) return null
  return { address, prefix: digits === undefined ? bits : Number(digits), family: family === 4 ? 'ipv4' : 'ipv6' }
}

interface Range {
  readonly address: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

const guarded = listOf(GUARDED)

/** Whether an address is one that nobody is asked at, unless it is in `allow` (addresses and ranges). */
export function isGuarded(address: string, allow: readonly string[] = []): boolean {
  return has(guarded, address) && !has(listOf(allow), address)
}

/** No connection was made: the address is guarded. */
export class GuardedAddressError extends Error {
  readonly code = 'HEADGATE_GUARDED_ADDRESS'
  readonly address: string

  constructor(address: string) {
    super(`${address} is a link-local or a metadata address`)
    this.name = 'GuardedAddressError'
    this.address = address
  }
}

export type Lookup = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/**
 * Connects as undici does, but to no guarded address: neither one in the URL, nor one that DNS gives, which is the very one
 * that is then connected to. Fails with a `GuardedAddressError`.
 */
export function guardedConnector(
  allow: readonly string[],
  lookup: Lookup = dns.lookup,
  options: Pick<ConnectionOptions, 'checkServerIdentity'> & { readonly maxCachedSessions?: number } = {},
): buildConnector.connector {
  const connect = buildConnector({
    ...options,
    allowH2: false,
    lookup: (hostname, options, callback) =>
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        const bad = addresses?.find(({ address }) => isGuarded(address, allow))
        const [first] = addresses ?? []
        if (error !== null || !first) callback(error ?? notFound(hostname), '', 0)
        else if (bad) callback(new GuardedAddressError(bad.address), '', 0)
        else if (options.all) callback(null, addresses)
        else callback(null, first.address, first.family)
      }),
  })
  return (asked, callback) => {
    // Of an address Node asks no resolver.
    const host = asked.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) > 0 && isGuarded(host, allow)) callback(new GuardedAddressError(host), null)
    else connect(asked, callback)
  }
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' })
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of ranges) {
    const range = parseRange(text)
    if (range) list.addSubnet(range.address, range.prefix, range.family)
  }
  return list
}

function has(list: BlockList, written: string): boolean {
  const address = written.replace(/%.*$/, '')
  const family = isIP(address)
  return family > 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
