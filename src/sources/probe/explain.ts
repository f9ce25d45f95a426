import { GuardedAddressError } from '../../shared/guard.ts'
import { codeOf } from '../../shared/text.ts'

const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it signed itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not trusted, or an intermediate certificate is not sent',
  CERT_REVOKED: 'it was revoked',
}

const CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'the address is not in DNS',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_SOCKET: 'the connection ended before the whole answer',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the connection ended before the whole answer',
  HTTPParserError: 'the answer is not HTTP',
}

/** What ails Headgate's own machine: its resolver, its open files, its ports. The service was not even asked. */
const OWN: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'DNS does not answer Headgate',
  EMFILE: 'Headgate has too many files open',
  ENFILE: 'this machine has too many files open',
  EADDRNOTAVAIL: 'this machine has no free port, or no such address family',
}

/** Why a probe could not even be tried, which says nothing about the service; null: it was tried. */
export function explainOwnTrouble(error: unknown): string | null {
  if (error instanceof GuardedAddressError) return `${error.message}: it is not asked, unless \`allowAddresses\` has it`
  const code = codeOf(error)
  const own = OWN[code]
  return own === undefined ? null : `${own} (${code})`
}

/** Why a probe failed, one clause. */
export function explainFailure(error: unknown): string {
  const code = codeOf(error)
  const certificate = CERTIFICATE[code]
  if (certificate !== undefined) return `the certificate is not valid: ${certificate} (${code})`
  const connection = CONNECTION[code]
  return connection === undefined ? `the request failed (${code})` : `${connection} (${code})`
}
