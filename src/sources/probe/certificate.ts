import { type Missing, missing } from '../../core/observation.ts'
import type { ProbeSpec } from '../../core/plan.ts'
import type { Clock } from '../../ports/runtime.ts'
import type { CertificateReader, ServedCertificate } from '../../ports/source.ts'
import { type Address, parseAddress } from './address.ts'
import { pinnedConnector } from './connect.ts'
import { explainFailure, explainOwnTrouble } from './explain.ts'

/** Shakes hands as a probe does, and asks nothing. */
export function createCertificateReader(clock: Clock): CertificateReader {
  return {
    async read(spec, side, signal) {
      const url = new URL(spec.url)
      const addressText = spec.address[side]
      if (url.protocol !== 'https:' || addressText === null) return null
      const address = parseAddress(addressText)
      if (address === null) return missing('refused', `"${addressText}" is not a host or host:port`)
      if (signal.aborted) return missing('timeout', 'no time was left in this sweep')
      return shakeHands(spec, address, clock.nowMs(), signal)
    },
  }
}

function shakeHands(
  spec: ProbeSpec,
  address: Address,
  nowMs: number,
  signal: AbortSignal,
): Promise<ServedCertificate | Missing> {
  return new Promise((resolve) => {
    const onAbort = () => resolve(missing('timeout', 'no TLS handshake before the deadline'))
    signal.addEventListener('abort', onAbort, { once: true })
    let seen: ServedCertificate | null = null
    const connect = pinnedConnector(spec, address, nowMs, (daysLeft, names) => {
      seen = { kind: 'valid', daysLeft, names }
    })
    const url = new URL(spec.url)
    const port = url.port === '' ? '443' : url.port
    const asked = { protocol: url.protocol, hostname: url.hostname, host: url.host, port, servername: sniOf(url) }
    connect(asked, (error, socket) => {
      signal.removeEventListener('abort', onAbort)
      socket?.destroy()
      if (error === null) return resolve(seen ?? missing('bad-answer', 'the connection is not over TLS'))
      const own = explainOwnTrouble(error)
      resolve(own === null ? { kind: 'invalid', why: whyOf(error) } : missing('unreachable', own))
    })
  })
}

/** An address has no place in SNI (RFC 6066, section 3). */
function sniOf({ hostname }: URL): string {
  return /^\[|^[\d.]+$/.test(hostname) ? '' : hostname
}

/** Of a certificate for another name, the names that it is for. */
function whyOf(error: Error): string {
  const why = explainFailure(error)
  const names = /.*altnames: (.*)$/s.exec(error.message)?.[1]
  return names === undefined ? why : `${why}; ${names.replaceAll(/\s+/g, ' ').slice(0, 300)}`
}
