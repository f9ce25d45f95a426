import { expect, test, vi } from 'vitest'
import { cloudwatchPrivileges } from '../../src/sources/cloudwatch/privileges.ts'
import { cloudwatchFault } from '../../src/sources/cloudwatch/query.ts'
import { cloudwatchSettings } from '../../src/sources/cloudwatch/settings.ts'
import { openCloudwatch } from '../../src/sources/cloudwatch/source.ts'
import { periodConformance } from '../conformance/period-source.ts'
import { A_CATALOG, anyLongWhile, B_CATALOG, counts, groupsOf, missingWhy } from '../conformance/source-user.ts'
import { type FakeCloudwatch, refuse, startCloudwatch } from '../fakes/cloudwatch.ts'
import { sliSpec } from '../support/slis.ts'
import { answering, halfAnAnswer, silent } from '../support/web-server.ts'

vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE')
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary-secret')
vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')

const searchFor = (metric: string, dimensions = 'cluster,service', statistic = 'Sum') =>
  `SEARCH('{Shop,${dimensions}} MetricName="${metric}"', '${statistic}', $period)`
const TICK = { sinceMs: Date.UTC(2026, 0, 1, 12, 0, 50), atMs: Date.UTC(2026, 0, 1, 12, 1) }
const ASK = sliSpec({ kind: 'ask', total: searchFor('Requests'), bad: searchFor('Failures'), windowSeconds: 60 })

function open(cloudwatch: FakeCloudwatch, more: Readonly<Record<string, unknown>> = {}) {
  return openCloudwatch(cloudwatchSettings.parse({ region: 'eu-central-1', endpoint: cloudwatch.url, ...more }))
}

async function pollOnce(cloudwatch: FakeCloudwatch, sli = ASK, more: Readonly<Record<string, unknown>> = {}) {
  const source = open(cloudwatch, more)
  const answers = await source.poll([sli], TICK, anyLongWhile())
  await source.close()
  return answers.get(sli)
}

function add(cloudwatch: FakeCloudwatch, metric: string, tags: Readonly<Record<string, string>>, value: number) {
  cloudwatch.events.push({ metric: `Shop/${metric}`, tags, atMs: TICK.atMs - 5000, value })
}

periodConformance('cloudwatch', {
  periodSeconds: 60,
  metrics: { total: 'Shop/Requests', bad: 'Shop/Failures', value: 'Shop/Cpu' },
  queries: {
    total: searchFor('Requests'),
    bad: searchFor('Failures'),
    value: searchFor('Cpu', 'cluster,service', 'Average'),
    broken: `SEARCH('{Shop}`,
  },
  async createPlace() {
    const cloudwatch = await startCloudwatch()
    const source = open(cloudwatch)
    return { source, events: cloudwatch.events, calls: () => cloudwatch.requests.length, stop: cloudwatch.stop }
  },
})

test('series of one workload are added up, as those of its zones', async () => {
  const cloudwatch = await startCloudwatch()
  for (const zone of ['1a', '1b', '1c'])
    add(cloudwatch, 'Requests', { cluster: 'prod-a', service: 'catalog', zone }, 20)
  const total = searchFor('Requests', 'cluster,service,zone')
  const sli = sliSpec({ kind: 'ask', total, bad: searchFor('Failures'), windowSeconds: 60 })
  expect(groupsOf(await pollOnce(cloudwatch, sli), TICK)).toEqual(new Map([[A_CATALOG, counts(10, 0)]]))
})

test('a value of several series is of nobody', async () => {
  const cloudwatch = await startCloudwatch()
  for (const zone of ['1a', '1b']) add(cloudwatch, 'Cpu', { cluster: 'prod-a', service: 'catalog', zone }, 20)
  const value = searchFor('Cpu', 'cluster,service,zone', 'Average')
  const groups = groupsOf(await pollOnce(cloudwatch, sliSpec({ kind: 'askValue', value, windowSeconds: 60 })), TICK)
  expect(groups.get(A_CATALOG)).toEqual(missingWhy('bad-answer'))
})

test('one dimension may stand for cluster and workload, by its names', async () => {
  const cloudwatch = await startCloudwatch()
  add(cloudwatch, 'Requests', { TargetGroup: 'targetgroup/blue/1' }, 60)
  add(cloudwatch, 'Requests', { TargetGroup: 'targetgroup/green/2' }, 6)
  add(cloudwatch, 'Requests', { TargetGroup: 'targetgroup/other/3' }, 600)
  const names = {
    'targetgroup/blue/1': { cluster: 'prod-a', workload: 'catalog' },
    'targetgroup/green/2': { cluster: 'prod-b', workload: 'catalog' },
  }
  const [total, bad] = [searchFor('Requests', 'TargetGroup'), searchFor('Failures', 'TargetGroup')]
  const labels = { cluster: 'TargetGroup', workload: 'TargetGroup' }
  const sli = { ...sliSpec({ kind: 'ask', total, bad, windowSeconds: 60 }), labels }
  const groups = groupsOf(await pollOnce(cloudwatch, sli, { names }), TICK)
  expect(groups.get(A_CATALOG)).toEqual(counts(10, 0))
  expect(groups.get(B_CATALOG)).toEqual(counts(1, 0))
})

test('all pages are read', async () => {
  const cloudwatch = await startCloudwatch()
  cloudwatch.pageSize = 1
  add(cloudwatch, 'Requests', { cluster: 'prod-a', service: 'catalog' }, 60)
  add(cloudwatch, 'Requests', { cluster: 'prod-b', service: 'catalog' }, 30)
  add(cloudwatch, 'Failures', { cluster: 'prod-b', service: 'catalog' }, 6)
  expect(groupsOf(await pollOnce(cloudwatch), TICK)).toEqual(
    new Map([
      [A_CATALOG, counts(10, 0)],
      [B_CATALOG, counts(5, 1)],
    ]),
  )
  expect(cloudwatch.requests).toHaveLength(3)
})

test('an answer of pages without end is given up', async () => {
  const cloudwatch = await startCloudwatch()
  cloudwatch.instead = (request, response) => {
    answering(200, '{"MetricDataResults":[],"NextToken":"more"}')(response, request)
    return true
  }
  expect(await pollOnce(cloudwatch)).toEqual(missingWhy('bad-answer'))
  expect(cloudwatch.requests.length).toBeLessThan(30)
})

test('NaN is no count', async () => {
  const cloudwatch = await startCloudwatch()
  add(cloudwatch, 'Requests', { cluster: 'prod-a', service: 'catalog' }, Number.NaN)
  expect(groupsOf(await pollOnce(cloudwatch), TICK).get(A_CATALOG)).toEqual(missingWhy('not-a-number'))
})

test.each([
  ['a part of the points', { StatusCode: 'PartialData' }, 'bad-answer'],
  ['trouble inside', { StatusCode: 'InternalError' }, 'unreachable'],
  ['another account', { StatusCode: 'Forbidden' }, 'refused'],
  ['fewer series than there are', { Messages: [{ Code: 'MaxMetricsExceeded', Value: 'too many' }] }, 'bad-answer'],
] as const)('%s is no answer, for what is left out would look like no errors', async (_, fault, why) => {
  const cloudwatch = await startCloudwatch()
  add(cloudwatch, 'Requests', { cluster: 'prod-a', service: 'catalog' }, 60)
  cloudwatch.fault = fault
  expect(await pollOnce(cloudwatch)).toEqual(missingWhy(why))
})

test.each([
  ['throttling', (to) => refuse(to, 400, 'Throttling', 'Rate exceeded'), 'refused', /too often/],
  ['no permission', (to) => refuse(to, 403, 'AccessDenied', 'not authorized'), 'refused', /GetMetricData/],
  ['a wrong secret', (to) => refuse(to, 403, 'SignatureDoesNotMatch', 'canary-secret'), 'refused', /credentials/],
  ['status 503', (to, request) => answering(503, '<html>')(to, request), 'unreachable', /503/],
  ['half an answer', (to, request) => halfAnAnswer(to, request), 'unreachable', /./],
  ['silence', (to, request) => silent(to, request), 'timeout', /within 1 s/],
] as const satisfies readonly (readonly [string, (...args: Parameters<typeof silent>) => void, string, RegExp])[])(
  '%s: no counts, and the reason',
  async (_, answer, why, detail) => {
    const cloudwatch = await startCloudwatch()
    cloudwatch.instead = (request, response) => {
      answer(response, request)
      return true
    }
    const said = await pollOnce(cloudwatch, ASK, { timeout: '1s' })
    expect(said).toEqual({ kind: 'missing', why, detail: expect.stringMatching(detail) })
    expect(JSON.stringify(said)).not.toContain('canary')
  },
)

const LABELS = { cluster: 'ClusterName', workload: 'Service' }
test.each([
  ['a search', searchFor('Requests'), LABELS, null],
  ['a metric math of no search', 'METRICS()', LABELS, 'SEARCH'],
  ['a sum of everything', `SUM(${searchFor('Requests')})`, LABELS, 'one series'],
  [
    'labels that are no dimensions',
    searchFor('Requests'),
    { cluster: "x')} evil", workload: 'Service' },
    'no dimension',
  ],
] as const)('an expression with %s', (_, query, labels, cause) => {
  const fault = cloudwatchFault(query, { form: 'ask', labels })
  if (cause === null) expect(fault).toBeNull()
  else expect(fault?.cause).toContain(cause)
})

test('the least privileges are to read metrics, and to assume the role', () => {
  const arn = 'arn:aws:iam::123456789012:role/headgate-metrics'
  const [reading, assuming, ...more] = cloudwatchPrivileges(
    cloudwatchSettings.parse({ region: 'eu-central-1', role: { arn } }),
  )
  expect(more).toEqual([])
  expect(reading).toMatchObject({
    title: `IAM policy of ${arn}`,
    document: { Statement: [{ Action: 'cloudwatch:GetMetricData', Resource: ['*'] }] },
  })
  expect(assuming?.document).toMatchObject({ Statement: [{ Action: 'sts:AssumeRole', Resource: [arn] }] })
})
