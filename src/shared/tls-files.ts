import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** What a server of TLS has, PEM. */
export interface TlsFiles {
  /** With its chain. */
  readonly cert: string
  readonly key: string
  /** The authorities of clients; null: no client is asked for a certificate. */
  readonly clientCa: string | null
}

/** What is wrong with one of the files. No text of theirs is in it. */
export interface TlsFault {
  readonly of: keyof TlsFiles
  readonly fault: string
  readonly hint: string
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Whether TLS can be spoken with these files: null, or the first thing that is in the way. Times are not looked at. */
export function faultOf({ cert, key, clientCa }: TlsFiles): TlsFault | null {
  const [own] = certificatesIn(cert) ?? []
  if (!own) return { of: 'cert', fault: 'no certificate in PEM', hint: 'write the certificate first, then its chain' }
  try {
    if (!own.checkPrivateKey(createPrivateKey(key)))
      return { of: 'key', fault: 'not the key of the certificate', hint: 'replace both files together' }
  } catch {
    // OpenSSL's words are not taken over: nothing of a key may come out.
    return {
      of: 'key',
      fault: 'no private key in PEM, or one with a passphrase',
      hint: 'write it as PKCS #8, unencrypted',
    }
  }
  if (clientCa !== null && (certificatesIn(clientCa)?.length ?? 0) === 0)
    return { of: 'clientCa', fault: 'no certificate in PEM', hint: 'write the certificates of the authorities' }
  try {
    createSecureContext({ cert, key, ...(clientCa !== null && { ca: clientCa }) })
    return null
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no reason given'
    return { of: 'cert', fault: `OpenSSL does not take it: ${code}`, hint: 'check kinds and sizes of keys' }
  }
}

/** null: one of them cannot be read. */
function certificatesIn(pem: string): readonly X509Certificate[] | null {
  try {
    return (pem.match(CERTIFICATE) ?? []).map((text) => new X509Certificate(text))
  } catch {
    // No text of a file is repeated: that it is none is all there is to say.
    return null
  }
}
