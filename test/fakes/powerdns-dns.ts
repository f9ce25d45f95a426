import type { SeenRrset } from '../support/powerdns-user.ts'

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 5: 'CNAME', 28: 'AAAA' }
const STATUS = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const

/** Answers a DNS query from these record sets, or with a status alone. */
export function answerTo(
  query: Buffer,
  rrsets: readonly SeenRrset[],
  status: 'SERVFAIL' | 'REFUSED' | null,
): { readonly name: string; readonly packet: Buffer } {
  const { name, typeNumber, questionEnd } = questionOf(query)
  const type = TYPES[typeNumber] ?? ''
  const atName = rrsets.filter((rrset) => rrset.name.toLowerCase() === name)
  const values = status === null ? valuesOf(atName, type) : null
  const code = status ?? (values === null ? 'SERVFAIL' : atName.length === 0 ? 'NXDOMAIN' : 'NOERROR')
  const ttl = atName[0]?.ttl ?? 0
  const answers = (values ?? []).map((value) => answerRecord(typeNumber, ttl, dataOf(type, value)))
  const head = Buffer.alloc(12)
  query.copy(head, 0, 0, 2)
  head.writeUInt16BE(0x8400 | STATUS[code], 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(answers.length, 6)
  return { name, packet: Buffer.concat([head, query.subarray(12, questionEnd), ...answers]) }
}

/** null: a record that cannot be evaluated. */
function valuesOf(atName: readonly SeenRrset[], type: string): readonly string[] | null {
  const plain = atName.find((rrset) => rrset.type === type)?.records.map(({ content }) => content) ?? []
  const codes = atName
    .filter((rrset) => rrset.type === 'LUA')
    .flatMap(({ records }) => records.map(({ content }) => content))
    .filter((content) => content.startsWith(`${type} `))
  const picked = codes.map(pick)
  return picked.includes(null) ? null : [...plain, ...picked.filter((value) => value !== null)]
}

function pick(content: string): string | null {
  const code = content.slice(content.indexOf('"')).replace(/" *"/g, '')
  if (!/^"pickw(random|hashed)\(\{(\{\d+,'[^']+'\},?)+\}\)"$/.test(code)) return null
  const entries = [...code.matchAll(/\{(\d+),'([^']+)'\}/g)].map(([, weight, value]) => ({
    weight: Number(weight),
    value,
  }))
  let left = Math.random() * entries.reduce((sum, { weight }) => sum + weight, 0)
  for (const { weight, value } of entries) {
    left -= weight
    if (left < 0) return value ?? null
  }
  return null
}

function questionOf(query: Buffer): { name: string; typeNumber: number; questionEnd: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: `${labels.join('.')}.`.toLowerCase(), typeNumber: query.readUInt16BE(at + 1), questionEnd: at + 5 }
}

/** A record at the name of the question. */
function answerRecord(typeNumber: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(typeNumber, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function dataOf(type: string, value: string): Buffer {
  if (type === 'A') return Buffer.from(value.split('.').map(Number))
  if (type === 'AAAA') return ipv6(value)
  const labels = value.replace(/\.$/, '').split('.')
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
    Buffer.of(0),
  ])
}

function ipv6(text: string): Buffer {
  const [head = '', tail] = text.split('::')
  const groups = (part: string) => part.split(':').filter((group) => group !== '')
  const end = groups(tail ?? '')
  const start = groups(head)
  const all = [...start, ...Array<string>(8 - start.length - end.length).fill('0'), ...end]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}
