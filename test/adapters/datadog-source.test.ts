import { expect, test } from 'vitest'
import { groupKey } from '../../src/ports/source.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { datadogFault } from '../../src/sources/datadog/query.ts'
import { datadogSettings } from '../../src/sources/datadog/settings.ts'
import { openDatadog } from '../../src/sources/datadog/source.ts'
import { periodConformance } from '../conformance/period-source.ts'
import { anyLongWhile, counts, groupsOf, missingWhy } from '../conformance/source-user.ts'
import { type FakeDatadog, startDatadog } from '../fakes/datadog.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { sliSpec } from '../support/slis.ts'
import { answering, answeringBytes, halfAnAnswer, silent } from '../support/web-server.ts'

const ENV = { DD_API_KEY: 'canary-api', DD_APP_KEY: 'canary-app' }
const KEYS = { api: ENV.DD_API_KEY, app: ENV.DD_APP_KEY }
const BY = 'by {cluster,service}.as_count()'
const TOTAL = `sum:http.requests{*} ${BY}`
const BAD = `sum:http.failures{*} ${BY}`
const TICK = { sinceMs: Date.UTC(2026, 0, 1, 12, 0, 50), atMs: Date.UTC(2026, 0, 1, 12, 1) }
const ASK = sliSpec({ kind: 'ask', total: TOTAL, bad: BAD, windowSeconds: 60 })

function open(datadog: FakeDatadog, more: Readonly<Record<string, unknown>> = {}, clock = createFakeClock(0)) {
  const keys = { apiKey: '${env:DD_API_KEY}', appKey: '${env:DD_APP_KEY}' }
  const settings = datadogSettings.parse({ url: datadog.url, ...keys, ...more })
  return openDatadog(settings, { ...adapterContext(ENV), clock })
}

async function pollOnce(datadog: FakeDatadog, more: Readonly<Record<string, unknown>> = {}) {
  const source = open(datadog, more)
  const answers = await source.poll([ASK], TICK, anyLongWhile())
  await source.close()
  return answers.get(ASK)
}

periodConformance('datadog', {
  periodSeconds: 20,
  metrics: { total: 'http.requests', bad: 'http.failures', value: 'cpu' },
  queries: {
    total: TOTAL,
    bad: BAD,
    value: 'avg:cpu{*} by {cluster,service}',
    broken: 'sum:http.requests{* by',
  },
  async createPlace() {
    const datadog = await startDatadog(KEYS)
    const source = open(datadog)
    return { source, events: datadog.events, calls: () => datadog.requests.length, stop: datadog.stop }
  },
})

test('a tag of the query selects, and values with colons are told whole', async () => {
  const datadog = await startDatadog(KEYS)
  const add = (env: string, value: number) =>
    datadog.events.push({
      metric: 'http.requests',
      tags: { cluster: 'arn:aws:eks:prod-a', service: 'catalog', env },
      atMs: TICK.atMs - 5000,
      value,
    })
  add('prod', 60)
  add('test', 600)
  const sli = sliSpec({ kind: 'ask', total: `sum:http.requests{env:prod} ${BY}`, bad: BAD, windowSeconds: 60 })
  const source = open(datadog)
  const groups = groupsOf((await source.poll([sli], TICK, anyLongWhile())).get(sli), TICK)
  await source.close()
  expect(groups).toEqual(new Map([[groupKey('arn:aws:eks:prod-a', 'catalog'), counts(10, 0)]]))
})

test('when the rate limit is used up nobody asks until it begins anew', async () => {
  const datadog = await startDatadog(KEYS)
  datadog.limits = { path: '/query/timeseries', left: 1, resetSeconds: 40 }
  const clock = createFakeClock(1_000_000)
  const source = open(datadog, {}, clock)
  const poll = async () => (await source.poll([ASK], TICK, anyLongWhile())).get(ASK)
  expect(await poll()).toMatchObject({ kind: 'vector' })
  expect(await poll()).toEqual({ kind: 'missing', why: 'refused', detail: expect.stringContaining('40 s') })
  await clock.advance(30_000)
  expect(await poll()).toEqual({ kind: 'missing', why: 'refused', detail: expect.stringContaining('10 s') })
  expect(datadog.requests).toHaveLength(1)
  datadog.limits = null
  await clock.advance(10_000)
  expect(await poll()).toMatchObject({ kind: 'vector' })
  await source.close()
})

test('a refusal for the rate without a word of how long is waited out', async () => {
  const datadog = await startDatadog(KEYS)
  datadog.instead = (request, response) => {
    answering(429, '{"errors":["Too many requests"]}')(response, request)
    return true
  }
  const clock = createFakeClock(1_000_000)
  const source = open(datadog, {}, clock)
  const poll = async () => (await source.poll([ASK], TICK, anyLongWhile())).get(ASK)
  expect([await poll(), await poll()]).toEqual([missingWhy('refused'), missingWhy('refused')])
  expect(datadog.requests).toHaveLength(1)
  datadog.instead = null
  await clock.advance(30_000)
  expect(await poll()).toMatchObject({ kind: 'vector' })
  await source.close()
})

const body = (attributes: object) => JSON.stringify({ data: { type: 'timeseries_response', attributes } })
const row = { group_tags: ['cluster:prod-a', 'service:catalog'], query_index: 0 }
test.each([
  ['status 500', answering(500, '<html>'), 'unreachable'],
  ['status 403', answering(403, '{"errors":["Forbidden"]}'), 'refused'],
  ['no JSON', answering(200, '<p>a proxy'), 'bad-answer'],
  ['another JSON', answering(200, '{"status":"ok"}'), 'bad-answer'],
  ['values without series', answering(200, body({ times: [0], series: [], values: [[1]] })), 'bad-answer'],
  ['fewer values than times', answering(200, body({ times: [0, 20_000], series: [row], values: [[1]] })), 'bad-answer'],
  ['other periods', answering(200, body({ times: [TICK.atMs - 30_000], series: [row], values: [[1]] })), 'bad-answer'],
  [
    'an answer to no question',
    answering(200, body({ times: [0], series: [{ ...row, query_index: 7 }], values: [[1]] })),
    'bad-answer',
  ],
  ['half an answer', halfAnAnswer, 'unreachable'],
  ['silence', silent, 'timeout'],
  ['too many bytes', answeringBytes(2000), 'bad-answer'],
] as const)('%s: no counts, and the reason', async (_, answer, why) => {
  const datadog = await startDatadog(KEYS)
  datadog.instead = (request, response) => {
    answer(response, request)
    return true
  }
  expect(await pollOnce(datadog, { timeout: '1s', maxBytes: 1024 })).toEqual(missingWhy(why))
})

test('an empty answer is one without groups', async () => {
  const datadog = await startDatadog(KEYS)
  datadog.instead = (request, response) => {
    answering(200, body({ times: [], series: [], values: [] }))(response, request)
    return true
  }
  expect(groupsOf(await pollOnce(datadog), TICK).size).toBe(0)
})

test('keys go into the headers, and nothing of them into what is told', async () => {
  const datadog = await startDatadog(KEYS)
  datadog.instead = (request, response) => {
    const told = JSON.stringify({ errors: [`no ${ENV.DD_API_KEY} and no ${ENV.DD_APP_KEY} here`] })
    answering(400, told)(response, request)
    return true
  }
  const said = await pollOnce(datadog)
  expect(said).toEqual(missingWhy('refused'))
  expect(JSON.stringify(said)).not.toContain('canary')
  expect(datadog.requests[0]?.headers).toMatchObject({ 'dd-api-key': 'canary-api', 'dd-application-key': 'canary-app' })
  expect(datadog.requests.map(({ url }) => url).join()).not.toContain('canary')
})

test('a key that cannot be resolved is told by its reference', async () => {
  const datadog = await startDatadog(KEYS)
  const said = await pollOnce(datadog, { appKey: '${env:NOT_THERE}' })
  expect(said).toEqual({ kind: 'missing', why: 'refused', detail: expect.stringContaining('${env:NOT_THERE}') })
})

const LABELS = { cluster: 'cluster', workload: 'service' }
test.each([
  ['a count by both tags', TOTAL, 'ask', null],
  ['a value by both tags', 'avg:cpu{*} by {service, cluster}', 'askValue', null],
  ['no grouping', 'sum:a{*}.as_count()', 'ask', '`cluster` and `service`'],
  ['one tag alone', 'sum:a{*} by {cluster}.as_count()', 'ask', '`service`'],
  ['a rate', 'sum:a{*} by {cluster,service}', 'ask', 'as_count'],
  ['periods of its own', 'sum:a{*} by {cluster,service}.as_count().rollup(sum, 300)', 'ask', 'rollup'],
] as const)('a query with %s', (_, query, form, cause) => {
  const fault = datadogFault(query, { form, labels: LABELS })
  if (cause === null) expect(fault).toBeNull()
  else expect(fault?.cause).toContain(cause)
})
