import { checkServerIdentity, TLSSocket } from 'node:tls'
import type { buildConnector } from 'undici'
import type { ProbeSpec } from '../../core/plan.ts'
import { guardedConnector } from '../../shared/guard.ts'
import type { Address } from './address.ts'

/** Told of a new TLS connection, before anything is sent: days until the server's certificate ends, and its names. */
export type OnCertificate = (daysLeft: number, names: readonly string[]) => void

/**
 * Connects to a given address as if DNS had named it: the Host header, SNI and the certificate's check stay those of
 * the URL. One new connection each time, without TLS session reuse, so that a listener that has gone, or a certificate
 * that was replaced, is seen. A guarded address is not connected to, unless the probe allows it: `GuardedAddressError`.
 */
export function pinnedConnector(
  { url, allowAddresses }: Pick<ProbeSpec, 'url' | 'allowAddresses'>,
  address: Address,
  nowMs: number,
  onCertificate: OnCertificate,
): buildConnector.connector {
  const urlHost = new URL(url).hostname.replace(/^\[|\]$/g, '')
  const connect = guardedConnector(allowAddresses, undefined, {
    maxCachedSessions: 0,
    // Node would check an address in the URL against the address connected to, which is another one.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(urlHost, certificate),
  })
  return (options, callback) => {
    const port = address.port === null ? options.port : String(address.port)
    connect({ ...options, hostname: address.host, port }, (...result) => {
      const [error, socket] = result
      if (error === null && socket instanceof TLSSocket) {
        const { valid_to: ends, subjectaltname = '' } = socket.getPeerCertificate()
        const names = subjectaltname.split(', ').map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
        onCertificate((Date.parse(ends) - nowMs) / 86_400_000, names)
      }
      callback(...result)
    })
  }
}
