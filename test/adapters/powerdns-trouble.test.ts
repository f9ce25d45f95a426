import { describe, expect, test } from 'vitest'
import { powerdns } from '../../src/traffic/powerdns/kind.ts'
import { reply, startFakePowerdns } from '../fakes/powerdns.ts'
import { change, NEW, OLD, recordOf } from '../support/powerdns-scope.ts'
import { API_KEY, putRrsets, rrsetsAt } from '../support/powerdns-user.ts'
import { lua, useFakeZone } from '../support/powerdns-zone.ts'
import { until } from '../support/until.ts'
import { dripping, endless, halfAnAnswer } from '../support/web-server.ts'

const zone = useFakeZone()
const APPLIED = { kind: 'applied' }
const NO_REQUEST = { method: 'GET', url: '/', headers: {}, body: '', sni: null, clientName: null }

describe('proof by DNS', () => {
  const writeTen = () => zone.write([change('a', 10)])

  test('is asked for once for each record that was written', async () => {
    await writeTen()
    for (let time = 0; time < 3; time++) await zone.read('a')
    expect(zone.fake.queries).toEqual([`${recordOf('a')}.`])
    await zone.write([change('a', 20)])
    await zone.read('a')
    expect(zone.fake.queries).toHaveLength(2)
  })

  test('that is not there yet leaves the weight pending, and is asked for again', async () => {
    await writeTen()
    const hasty = zone.open(['a'], {}, { nameservers: ['127.0.0.1:1'] })
    const pending = {
      kind: 'weight',
      weightPercent: 10,
      ttlSeconds: 300,
      pending: expect.stringContaining('127.0.0.1:1'),
    }
    expect(await zone.readOnce('a', hasty)).toEqual(pending)
    expect(await zone.readOnce('a', hasty)).toEqual(pending)
  })

  test('that never comes leaves hundreds of weights pending, and makes no read late', async () => {
    const ids = Array.from({ length: 300 }, (_, index) => `n${index}`)
    await putRrsets(
      zone.fake,
      ids.map((id) => ({ name: recordOf(id), type: 'A', contents: [OLD] })),
    )
    const many = zone.open(ids)
    zone.fake.answerDnsWith('nothing')
    // One after the other, these queries would take many times that.
    const readings = [...(await many.read(ids, AbortSignal.timeout(60_000))).values()]
    expect(readings.filter((one) => 'pending' in one)).toHaveLength(ids.length)
    zone.fake.answerDnsWith(null)
    expect(await zone.read('n299', many)).toEqual({ kind: 'weight', weightPercent: 0, ttlSeconds: 300 })
  })

  test.each([
    ['SERVFAIL', 'SERVFAIL'],
    ['REFUSED', 'refuses'],
  ] as const)('that is %s is no weight', async (status, detail) => {
    await writeTen()
    zone.fake.answerDnsWith(status)
    expect(await zone.read('a')).toMatchObject({
      kind: 'missing',
      why: 'refused',
      detail: expect.stringContaining(detail),
    })
    expect(await zone.inspect()).toEqual(['fail TRAFFIC_REFUSED'])
  })

  test('from one of several name servers that does not evaluate Lua is no weight', async () => {
    await writeTen()
    const other = await startFakePowerdns()
    await putRrsets(other, [{ name: recordOf('a'), type: 'LUA', contents: [lua([1, OLD])] }])
    other.evaluateLua('never')
    const both = zone.open(['a'], {}, { nameservers: [zone.fake.nameserver, other.nameserver] })
    expect(await zone.read('a', both)).toMatchObject({
      why: 'refused',
      detail: expect.stringContaining(other.nameserver),
    })
    await other.stop()
  })

  test.each<[string, string, object]>([
    ['a value that weighs nothing', OLD, { weightPercent: 100, pending: expect.stringContaining(OLD) }],
    ['a value of a stranger', '192.0.2.9', { why: 'refused', detail: expect.stringContaining('192.0.2.9') }],
  ])('that is %s tells that the record is not served', async (_, served, want) => {
    await zone.write([change('a', 100)])
    const other = await startFakePowerdns()
    await putRrsets(other, [{ name: recordOf('a'), type: 'A', contents: [served] }])
    const scope = zone.open(['a'], {}, { nameservers: [other.nameserver] })
    const reading = await until('the name server answers', async () => {
      const one = await zone.readOnce('a', scope)
      return JSON.stringify(one).includes(served) && one
    })
    expect(reading).toMatchObject(want)
    await other.stop()
  })

  test('of a plain record is asked for before anything is written, so doctor finds a name server that nobody reaches', async () => {
    expect(await zone.read('a')).toEqual({ kind: 'weight', weightPercent: 0, ttlSeconds: 300 })
    expect(await zone.inspect()).toEqual([])
    const far = zone.open(['a'], {}, { nameservers: ['127.0.0.1:1'] })
    expect(await zone.readOnce('a', far)).toMatchObject({
      weightPercent: 0,
      pending: expect.stringContaining('127.0.0.1:1'),
    })
    expect(await zone.inspect(far)).toEqual(['fail TRAFFIC_UNVERIFIED'])
  })

  test('is not asked for where no name server is named', async () => {
    await writeTen()
    expect(await zone.read('a', zone.open(['a'], {}, { nameservers: [] }))).not.toHaveProperty('pending')
    expect(zone.fake.queries).toEqual([])
  })
})

describe('who else writes', () => {
  const text = (resource: string) => `"heritage=external-dns,external-dns/owner=blue,external-dns/resource=${resource}"`

  test.each(['a', 'a-a'])('external-dns, by its TXT record at %s', async (at) => {
    await zone.put(at, 'TXT', text('ingress/shop/checkout'))
    expect(await zone.read('a')).toMatchObject({
      weightPercent: 0,
      otherWriter: expect.stringMatching(/owner blue.*ingress\/shop\/checkout.*TXT record.*controller: none/),
    })
    expect(await zone.inspect()).toEqual(['warn TRAFFIC_OTHER_WRITER'])
  })

  test('a tool, by its comment', async () => {
    const comments = [{ account: 'ops', content: 'managed by octodns' }]
    await putRrsets(zone.fake, [{ name: recordOf('a'), type: 'A', contents: [OLD], comments }])
    expect(await zone.read('a')).toMatchObject({ otherWriter: expect.stringContaining('octodns') })
  })

  test('nobody, by a comment of a person, which a write keeps', async () => {
    await zone.write([change('a', 10)])
    const comments = [{ account: 'ada', content: 'moved in March' }]
    await putRrsets(zone.fake, [{ name: recordOf('a'), type: 'LUA', contents: [lua([90, OLD], [10, NEW])], comments }])
    await zone.write([change('a', 20)])
    expect(await zone.read('a')).toEqual({ kind: 'weight', weightPercent: 20, ttlSeconds: 300 })
    expect((await rrsetsAt(zone.fake, recordOf('a'))).LUA?.comments).toEqual(comments)
  })
})

describe('a batch', () => {
  const NAMES = Array.from({ length: 40 }, (_, index) => `n${index}`)

  test('of many names is one GET of the zone and one PATCH', async () => {
    const many = zone.open(NAMES)
    await putRrsets(
      zone.fake,
      NAMES.map((id) => ({ name: recordOf(id), type: 'A', contents: [OLD] })),
    )
    await zone.write(
      NAMES.map((id) => change(id, 10)),
      many,
    )
    const before = zone.fake.calls.length
    await zone.write(
      NAMES.map((id) => change(id, 0, { urgency: 'revert' })),
      many,
    )
    expect(zone.fake.calls.slice(before).map((call) => call.split(' ')[0])).toEqual(['GET', 'PATCH'])
  })

  test('is halved where PowerDNS finds fault with it, so one odd record stops no other', async () => {
    const many = zone.open(NAMES)
    const odd = recordOf('n7')
    await putRrsets(
      zone.fake,
      NAMES.map((id) => ({ name: recordOf(id), type: 'A', contents: [OLD] })),
    )
    zone.fake.refuseName(`${odd}.`)
    const results = await zone.write(
      NAMES.map((id) => change(id, 10)),
      many,
    )
    for (const id of NAMES)
      expect(results[id]).toMatchObject(id === 'n7' ? { problem: { code: 'TRAFFIC_REFUSED' } } : APPLIED)
    expect(await rrsetsAt(zone.fake, odd)).toMatchObject({ A: { records: [{ content: OLD }] } })
  })

  test('that one call cannot hold is put off, reverts last of all', async () => {
    const ids = Array.from({ length: 2500 }, (_, index) => `n${index}`)
    const old = Array.from({ length: 16 }, (_, index) => `192.0.2.${index + 11}`)
    const many = zone.open(ids, { old })
    await putRrsets(
      zone.fake,
      ids.map((id) => ({ name: recordOf(id), type: 'A', contents: old })),
    )
    const changes = ids.map((id, index) => change(id, 10, { urgency: index >= 2000 ? 'revert' : 'forward' }))
    const results = await zone.write(changes, many)
    const kinds = (from: number, to: number) => new Set(ids.slice(from, to).map((id) => results[id]?.kind))
    expect(kinds(2000, 2500)).toEqual(new Set(['applied']))
    expect(kinds(0, 2000)).toEqual(new Set(['applied', 'deferred']))
    expect(Buffer.byteLength(zone.fake.patches.at(-1) ?? '')).toBeLessThan(2 * 1024 * 1024)
  })
})

describe('trouble', () => {
  test.each<[string, number, string, string]>([
    ['a wrong key', 401, 'Unauthorized', 'TRAFFIC_NO_CREDENTIALS'],
    ['a proxy that forbids it', 403, '', 'TRAFFIC_FORBIDDEN'],
    ['no such zone', 404, 'Not Found', 'TRAFFIC_NOT_FOUND'],
    ['a proxy that counts calls', 429, '', 'TRAFFIC_THROTTLED'],
    ['a fault of PowerDNS', 500, '{"error": "backend"}', 'TRAFFIC_REFUSED'],
    ['a gateway without PowerDNS', 502, '<html>', 'TRAFFIC_UNREACHABLE'],
    ['another API', 200, '{"items": []}', 'TRAFFIC_BAD_ANSWER'],
    ['no JSON', 200, '<html>', 'TRAFFIC_BAD_ANSWER'],
    ['a redirect', 302, '', 'TRAFFIC_BAD_ANSWER'],
  ])('%s (%d) is told by its code, by write and by inspect', async (_, status, body, code) => {
    zone.fake.answerWith((response) => reply(response, status, body))
    expect(await zone.write([change('a', 10)])).toMatchObject({ a: { kind: 'failed', problem: { code } } })
    expect(await zone.inspect()).toEqual([`fail ${code}`])
  })

  test('a wrong key that PowerDNS repeats is struck out', async () => {
    const wrong = zone.open(['a'], {}, { apiKey: '${env:WRONG_KEY}' })
    zone.fake.answerWith((response, { headers }) => reply(response, 422, { error: `bad ${headers['x-api-key']}` }))
    expect(JSON.stringify([await zone.read('a', wrong), await zone.write([change('a', 1)], wrong)])).not.toContain(
      'canary',
    )
  })

  test('a key that is not set fails the call, and names its reference only', async () => {
    const before = zone.fake.calls.length
    const poor = zone.open(['a'], {}, { apiKey: '${env:NOT_SET}' })
    expect(await zone.write([change('a', 1)], poor)).toMatchObject({
      a: { problem: { code: 'CONFIG_SECRET_UNRESOLVED' } },
    })
    expect(zone.fake.calls).toHaveLength(before)
  })

  test.each([
    ['hangs up in mid-answer', 'TRAFFIC_UNREACHABLE', halfAnAnswer],
    ['never ends its answer', 'TRAFFIC_TIMEOUT', dripping],
  ] as const)('a server that %s is %s', async (_, code, answer) => {
    const hasty = zone.open(['a'], {}, { timeout: '1s' })
    zone.fake.answerWith((response) => answer(response, NO_REQUEST))
    expect(await zone.write([change('a', 10)], hasty)).toMatchObject({ a: { problem: { code } } })
  })

  test('an answer without end is cut', async () => {
    zone.fake.answerWith((response) => endless(response, NO_REQUEST))
    expect(await zone.read('a')).toMatchObject({ why: 'bad-answer', detail: expect.stringContaining('67108864') })
  })

  test('a write whose answer is lost is known by reading back', async () => {
    zone.fake.losePatchAnswers(true)
    expect(await zone.write([change('a', 10)])).toMatchObject({ a: { problem: { code: 'TRAFFIC_UNREACHABLE' } } })
    zone.fake.losePatchAnswers(false)
    expect(await zone.read('a')).toMatchObject({ weightPercent: 10 })
    const before = zone.fake.patches.length
    expect(await zone.write([change('a', 10)])).toEqual({ a: APPLIED })
    expect(zone.fake.patches).toHaveLength(before)
  })
})

test('the page of privileges names every call that is made', async () => {
  await zone.write([change('a', 10)])
  await zone.read('a')
  const paths = new Set(zone.fake.calls.map((call) => /\S+ ([^?]+)/.exec(call)?.[1]))
  expect(paths).toContain('/api/v1/servers/localhost/config')
  const account = powerdns.account?.parse({ url: zone.fake.url, apiKey: '${env:PDNS_API_KEY}' })
  const settings = powerdns.settings.parse({ zone: 'example.test', record: recordOf('a'), old: OLD, new: NEW })
  if (!account) throw new Error('powerdns has an account')
  const [privilege] = powerdns.privilegesFor([{ id: 'a', settings }], account)
  for (const path of paths) expect(privilege?.document).toContain(path)
  expect(JSON.stringify(privilege)).not.toContain(API_KEY)
})
