import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

/**
 * X.509 certificates (RFC 5280), made when a test needs them: Node reads them but makes none, and a key in the
 * repository would be found by every scanner. P-256 and SHA-256 throughout.
 */
export interface Certificate {
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS #8. */
  readonly key: string
}

export interface Authority extends Certificate {
  issue(wish: CertificateWish): Certificate
}

export interface CertificateWish {
  /** DNS names, IP addresses and URIs; the first one is the common name, too. */
  readonly names: readonly string[]
  /** What it may be used for alone; left out: anything. */
  readonly usage?: 'server' | 'client'
  /** Stands before the common name in the subject. */
  readonly organization?: string
  /** From now; negative: in the past. */
  readonly startsInDays?: number
  readonly endsInDays?: number
}

const DAY_MS = 86_400_000
const ECDSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))

/** An authority that has signed itself, and signs for others. */
export function createAuthority(name: string): Authority {
  const keys = newKeys()
  const issuer = { name, privateKey: keys.privateKey }
  return {
    ...certificate({ names: [name] }, keys, issuer, [basicConstraints({ isAuthority: true })]),
    issue: (wish) => certificate(wish, newKeys(), issuer, [subjectAltName(wish.names), ...usageOf(wish)]),
  }
}

/** A certificate that vouches for itself. */
export function selfSigned(wish: CertificateWish): Certificate {
  const keys = newKeys()
  const issuer = { name: wish.names[0] ?? '', privateKey: keys.privateKey }
  return certificate(wish, keys, issuer, [basicConstraints({ isAuthority: false }), subjectAltName(wish.names)])
}

interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

function newKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function certificate(
  { names, startsInDays = -1, endsInDays = 90, organization }: CertificateWish,
  { publicKey, privateKey }: Keys,
  issuer: { readonly name: string; readonly privateKey: KeyObject },
  extensions: readonly Buffer[],
): Certificate {
  const nowMs = Date.now()
  const serial = randomBytes(8)
  // Positive, and without a leading zero byte.
  serial[0] = 0x40
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    commonName(issuer.name),
    sequence(time(nowMs + startsInDays * DAY_MS), time(nowMs + endsInDays * DAY_MS)),
    subjectOf(names[0] ?? '', organization),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, { key: issuer.privateKey, dsaEncoding: 'der' })
  const whole = sequence(body, ECDSA_WITH_SHA256, der(0x03, Buffer.of(0), signature))
  return {
    cert: pem('CERTIFICATE', whole),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** A tag, the length, the content: all there is to DER. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content)
  const length = bytes.length < 0x80 ? [bytes.length] : [0x82, bytes.length >> 8, bytes.length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...length), bytes])
}

function sequence(...content: readonly Buffer[]): Buffer {
  return der(0x30, ...content)
}

/** An object identifier, given as it is encoded. */
function oid(...bytes: readonly number[]): Buffer {
  return der(0x06, Buffer.from(bytes))
}

function commonName(name: string): Buffer {
  return subjectOf(name)
}

function subjectOf(name: string, organization?: string): Buffer {
  const part = (type: number, text: string) => der(0x31, sequence(oid(0x55, 0x04, type), der(0x0c, Buffer.from(text))))
  return sequence(...(organization === undefined ? [] : [part(0x0a, organization)]), part(0x03, name))
}

/** The extended key usages serverAuth and clientAuth. */
function usageOf({ usage }: CertificateWish): Buffer[] {
  if (usage === undefined) return []
  const purpose = oid(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, usage === 'server' ? 1 : 2)
  return [sequence(oid(0x55, 0x1d, 0x25), der(0x04, sequence(purpose)))]
}

/** A GeneralizedTime, to the second. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x18, Buffer.from(digits))
}

function basicConstraints({ isAuthority }: { readonly isAuthority: boolean }): Buffer {
  const content = isAuthority ? sequence(der(0x01, Buffer.of(0xff))) : sequence()
  return sequence(oid(0x55, 0x1d, 0x13), der(0x01, Buffer.of(0xff)), der(0x04, content))
}

function subjectAltName(names: readonly string[]): Buffer {
  const items = names.map((name) => {
    if (isIP(name)) return der(0x87, ipBytes(name))
    return der(name.includes('://') ? 0x86 : 0x82, Buffer.from(name))
  })
  return sequence(oid(0x55, 0x1d, 0x11), der(0x04, sequence(...items)))
}

function ipBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  if (address === '::1') return Buffer.concat([Buffer.alloc(15), Buffer.of(1)])
  throw new Error(`a certificate for ${address} is not something that a test on loopback needs`)
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
