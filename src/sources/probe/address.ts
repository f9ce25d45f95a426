import { isIPv6 } from 'node:net'

/** Where a probe connects to. */
export interface Address {
  readonly host: string
  /** null: the URL's. */
  readonly port: number | null
}

/** Reads `host`, `host:port`, `::1`, `[::1]` or `[::1]:port`; null: it is none of them. */
export function parseAddress(text: string): Address | null {
  if (isIPv6(text)) return { host: text, port: null }
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/.exec(text)
  const [, six, host = six, digits] = match ?? []
  const port = digits === undefined ? null : Number(digits)
  if (host === undefined || (six !== undefined && !isIPv6(six)) || (port !== null && (port < 1 || port > 65_535)))
    return null
  return { host, port }
}
