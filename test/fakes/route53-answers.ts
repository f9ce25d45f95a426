import { answerXml, element, leaf, parseChanges, recordXml, wireName } from './route53-xml.ts'
import { type FakeChange, FakeZone } from './route53-zone.ts'

/** A call that AWS refuses. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const MAX_ITEMS = 300

/** What Route 53 answers, call by call. */
export class Route53Answers {
  readonly written: string[] = []
  readonly healthChecks = new Set<string>()
  readonly #zones = new Map<string, FakeZone>()
  /** Zones in which a change is being made. */
  readonly #busy = new Set<string>()
  /** By change id: when it is INSYNC. */
  readonly #syncedAtMs = new Map<string, number>()
  readonly #pendingMs: number | null
  readonly #nowMs: () => number

  constructor(pendingMs: number | null, nowMs: () => number) {
    this.#pendingMs = pendingMs
    this.#nowMs = nowMs
  }

  addZone(id: string, domain: string): void {
    this.#zones.set(id, new FakeZone(domain))
  }

  zone(id: string): FakeZone {
    const zone = this.#zones.get(id)
    if (!zone) throw new Refusal(404, 'NoSuchHostedZone', `No hosted zone found with ID: ${id}`)
    return zone
  }

  sync(): void {
    for (const id of this.#syncedAtMs.keys()) this.#syncedAtMs.set(id, 0)
  }

  /** Takes a call; what it returns ends it, and gives the answer. */
  begin(action: string, path: string, body: string): () => string {
    const url = new URL(path, 'http://route53')
    const id = url.pathname.split('/')[3] ?? ''
    if (action === 'ListResourceRecordSets') return () => this.#list(id, url.searchParams)
    if (action === 'GetHostedZone') return () => this.#hostedZone(id)
    if (action === 'GetChange') return () => this.#change(id)
    if (action === 'GetHealthCheck') return () => this.#healthCheck(id)
    if (action !== 'ChangeResourceRecordSets') throw new Refusal(404, 'UnknownOperationException', 'no such path')
    const zone = this.zone(id)
    if (this.#busy.has(id))
      throw new Refusal(
        400,
        'PriorRequestNotComplete',
        'The request was rejected because Route 53 was still processing a prior request.',
      )
    this.#busy.add(id)
    return () => {
      this.#busy.delete(id)
      return this.#changeRecords(zone, body)
    }
  }

  #list(id: string, query: URLSearchParams): string {
    const zone = this.zone(id)
    const name = query.get('name')
    const type = query.get('type') ?? ''
    const setIdentifier = query.get('identifier') ?? ''
    if (name === null && type !== '') throw new Refusal(400, 'InvalidInput', 'a type needs a name')
    const maxItems = Math.min(MAX_ITEMS, Number(query.get('maxitems') ?? MAX_ITEMS))
    const start = name === null ? null : { name: wireName(name), type, setIdentifier }
    const { page, next } = zone.list(start, maxItems)
    return answerXml(
      'ListResourceRecordSetsResponse',
      element('ResourceRecordSets', ...page.map(recordXml)),
      leaf('IsTruncated', String(next !== null)),
      next === null ? '' : leaf('NextRecordName', next.name) + leaf('NextRecordType', next.type),
      next === null || next.setIdentifier === '' ? '' : leaf('NextRecordIdentifier', next.setIdentifier),
      leaf('MaxItems', String(maxItems)),
    )
  }

  #changeRecords(zone: FakeZone, body: string): string {
    const changes = parsedChanges(body)
    for (const { record } of changes) {
      const { weight } = record
      if (weight !== null && !(Number.isInteger(weight) && weight >= 0 && weight <= 255))
        throw new Refusal(400, 'InvalidInput', `Value '${weight}' at 'weight' failed to satisfy constraint: 0 to 255`)
      if (record.healthCheck !== null && !this.healthChecks.has(record.healthCheck))
        throw new Refusal(
          404,
          'NoSuchHealthCheck',
          `No health check exists with the specified ID: ${record.healthCheck}`,
        )
    }
    const wrong = zone.change(changes)
    if (wrong.length > 0) throw new Refusal(400, 'InvalidChangeBatch', `[${wrong.join(', ')}]`)
    this.written.push(...changes.map(lineOf))
    const changeId = `C${String(this.#syncedAtMs.size + 1).padStart(6, '0')}`
    const pendingMs = this.#pendingMs ?? Number.POSITIVE_INFINITY
    this.#syncedAtMs.set(changeId, this.#nowMs() + pendingMs)
    return answerXml('ChangeResourceRecordSetsResponse', this.#changeInfo(changeId))
  }

  #change(id: string): string {
    if (!this.#syncedAtMs.has(id)) throw new Refusal(404, 'NoSuchChange', `A change with id ${id} does not exist`)
    return answerXml('GetChangeResponse', this.#changeInfo(id))
  }

  #changeInfo(id: string): string {
    const isSynced = this.#nowMs() >= (this.#syncedAtMs.get(id) ?? 0)
    return element(
      'ChangeInfo',
      leaf('Id', `/change/${id}`),
      leaf('Status', isSynced ? 'INSYNC' : 'PENDING'),
      leaf('SubmittedAt', '2026-01-01T00:00:00Z'),
    )
  }

  #hostedZone(id: string): string {
    const zone = this.zone(id)
    const parts = [leaf('Id', `/hostedzone/${id}`), leaf('Name', `${zone.domain}.`), leaf('CallerReference', 'fake')]
    return answerXml('GetHostedZoneResponse', element('HostedZone', ...parts))
  }

  #healthCheck(id: string): string {
    if (!this.healthChecks.has(id))
      throw new Refusal(404, 'NoSuchHealthCheck', `No health check exists with the specified ID: ${id}`)
    const config = element('HealthCheckConfig', leaf('Type', 'HTTPS'))
    const parts = [leaf('Id', id), leaf('CallerReference', 'fake'), config, leaf('HealthCheckVersion', '1')]
    return answerXml('GetHealthCheckResponse', element('HealthCheck', ...parts))
  }
}

function parsedChanges(body: string): readonly FakeChange[] {
  try {
    return parseChanges(body)
  } catch (error) {
    throw new Refusal(400, 'InvalidInput', `the request is no change batch: ${error}`)
  }
}

function lineOf({ action, record }: FakeChange): string {
  const { name, type, setIdentifier, weight, ttlSeconds, healthCheck } = record
  return [
    `${action} ${name} ${type}`,
    setIdentifier,
    weight,
    ttlSeconds === null ? null : `ttl=${ttlSeconds}`,
    healthCheck && `health=${healthCheck}`,
  ]
    .filter((part) => part !== null && part !== '')
    .join(' ')
}
