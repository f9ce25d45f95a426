import type { FakeChange, FakeRecord } from './route53-zone.ts'

const NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/'

/** An element: its children by name, in order, and its text. */
interface Element {
  readonly name: string
  readonly children: Element[]
  text: string
}

/** The changes of a ChangeResourceRecordSets request. Throws on what is none. */
export function parseChanges(xml: string): readonly FakeChange[] {
  const changes = child(child(parseXml(xml), 'ChangeBatch'), 'Changes')
  if (!changes || changes.children.length === 0) throw new Error('no changes')
  return changes.children.map((change) => {
    const action = textOf(change, 'Action')
    if (action !== 'CREATE' && action !== 'UPSERT' && action !== 'DELETE') throw new Error(`no action: ${action}`)
    return { action, record: recordOf(child(change, 'ResourceRecordSet')) }
  })
}

const OTHER_ROUTINGS = ['Region', 'GeoLocation', 'Failover', 'MultiValueAnswer', 'CidrRoutingConfig']

function recordOf(set: Element | null): FakeRecord {
  if (!set) throw new Error('no ResourceRecordSet')
  const weight = textOf(set, 'Weight')
  const ttl = textOf(set, 'TTL')
  const alias = child(set, 'AliasTarget')
  return {
    name: wireName(textOf(set, 'Name') ?? ''),
    type: textOf(set, 'Type') ?? '',
    setIdentifier: textOf(set, 'SetIdentifier') ?? '',
    weight: weight === null ? null : Number(weight),
    otherRouting: OTHER_ROUTINGS.find((name) => child(set, name) !== null) ?? null,
    ttlSeconds: ttl === null ? null : Number(ttl),
    values: (child(set, 'ResourceRecords')?.children ?? []).map((one) => textOf(one, 'Value') ?? ''),
    alias: alias && {
      zone: textOf(alias, 'HostedZoneId') ?? '',
      name: textOf(alias, 'DNSName') ?? '',
      evaluateTargetHealth: textOf(alias, 'EvaluateTargetHealth') === 'true',
    },
    healthCheck: textOf(set, 'HealthCheckId'),
  }
}

/** A name as Route 53 keeps it: lower case, escaped, with a dot at its end. */
export function wireName(name: string): string {
  const plain = name.toLowerCase().replace(/\.$/, '').replaceAll('*', '\\052')
  return `${plain}.`
}

/** One record set of a list. */
export function recordXml(record: FakeRecord): string {
  const { alias, values } = record
  return element(
    'ResourceRecordSet',
    leaf('Name', record.name),
    leaf('Type', record.type),
    record.setIdentifier === '' ? '' : leaf('SetIdentifier', record.setIdentifier),
    record.weight === null ? '' : leaf('Weight', String(record.weight)),
    record.otherRouting === null ? '' : routingXml(record.otherRouting),
    record.ttlSeconds === null ? '' : leaf('TTL', String(record.ttlSeconds)),
    values.length === 0
      ? ''
      : element('ResourceRecords', ...values.map((value) => element('ResourceRecord', leaf('Value', value)))),
    alias === null
      ? ''
      : element(
          'AliasTarget',
          leaf('HostedZoneId', alias.zone),
          leaf('DNSName', alias.name),
          leaf('EvaluateTargetHealth', String(alias.evaluateTargetHealth)),
        ),
    record.healthCheck === null ? '' : leaf('HealthCheckId', record.healthCheck),
  )
}

function routingXml(routing: string): string {
  if (routing === 'GeoLocation') return element('GeoLocation', leaf('CountryCode', 'DE'))
  if (routing === 'MultiValueAnswer') return leaf(routing, 'true')
  return leaf(routing, { Region: 'eu-central-1', Failover: 'PRIMARY' }[routing] ?? '')
}

/** The whole of an answer. */
export function answerXml(name: string, ...parts: readonly string[]): string {
  return `<?xml version="1.0"?>\n<${name} xmlns="${NAMESPACE}">${parts.join('')}</${name}>`
}

/** A refusal, as AWS gives it. */
export function errorXml(code: string, message: string): string {
  const error = element('Error', leaf('Type', 'Sender'), leaf('Code', code), leaf('Message', message))
  return answerXml('ErrorResponse', error, leaf('RequestId', '00000000-0000-0000-0000-000000000000'))
}

/** A refused batch, in the other form that Route 53 has for it: a bare list of messages. */
export function refusedBatchXml(message: string): string {
  return answerXml('InvalidChangeBatch', element('Messages', leaf('Message', message)), leaf('RequestId', '0'))
}

export function element(name: string, ...parts: readonly string[]): string {
  return `<${name}>${parts.join('')}</${name}>`
}

export function leaf(name: string, text: string): string {
  return element(name, text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'))
}

function child(parent: Element | null, name: string): Element | null {
  return parent?.children.find((one) => one.name === name) ?? null
}

function textOf(parent: Element, name: string): string | null {
  return child(parent, name)?.text ?? null
}

/** Enough of XML for what the SDK sends: elements, text, the five entities. Throws on what does not nest. */
function parseXml(xml: string): Element {
  const root: Element = { name: '', children: [], text: '' }
  const open = [root]
  for (const [, close, name = '', empty, text] of xml.matchAll(/<(\/?)([\w:]+)[^<>]*?(\/?)>|([^<]+)/g)) {
    const top = open.at(-1) ?? root
    if (text !== undefined) top.text += unescaped(text)
    else if (close === '/') {
      if (top.name !== name || open.length === 1) throw new Error(`</${name}> ends nothing`)
      open.pop()
    } else {
      const made = { name, children: [], text: '' }
      top.children.push(made)
      if (empty !== '/') open.push(made)
    }
  }
  const [first] = root.children
  if (open.length > 1 || !first) throw new Error('an element has no end')
  return first
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function unescaped(text: string): string {
  return text.replace(/&(?:(\w+)|#x([0-9a-fA-F]+)|#(\d+));/g, (_, name, hex, decimal) =>
    name === undefined
      ? String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal))
      : (ENTITIES[name] ?? ''),
  )
}
