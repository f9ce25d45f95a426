import { codeOf } from '../failure.ts'

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
  UND_ERR_SOCKET: 'the connection ended before an answer',
}

/** Why a probe failed, one clause. */
export function explainFailure(error: unknown): string {
  const code = codeOf(error)
  const certificate = CERTIFICATE[code]
  if (certificate !== undefined) return `the certificate is not valid: ${certificate} (${code})`
  const connection = CONNECTION[code]
  return connection === undefined ? `the request failed (${code})` : `${connection} (${code})`
}
