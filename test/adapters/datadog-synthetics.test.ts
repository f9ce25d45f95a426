import { describe, expect, test } from 'vitest'
import type { SyntheticTest } from '../../src/core/synthetic.ts'
import type { SyntheticReader } from '../../src/ports/source.ts'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
import { datadogSettings } from '../../src/sources/datadog/settings.ts'
import { openSynthetics } from '../../src/sources/datadog/synthetics.ts'
import { missingWhy } from '../conformance/source-user.ts'
import { type FakeDatadog, type FakeResult, startDatadog } from '../fakes/datadog.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { answering } from '../support/web-server.ts'

const ENV = { DD_API_KEY: 'canary-api', DD_APP_KEY: 'canary-app' }
const NOW_MS = Date.UTC(2026, 0, 1, 12)
const TEST: SyntheticTest = { id: 'abc-def-ghi', location: null }

interface User {
  readonly datadog: FakeDatadog
  readonly clock: FakeClock
  readonly reader: SyntheticReader
  read(test?: SyntheticTest): ReturnType<SyntheticReader['read']>
}

/** A test that runs each minute; `agoSeconds` say when. */
async function startUser(
  results: readonly (Omit<FakeResult, 'atMs'> & { readonly agoSeconds: number })[],
  more: { readonly status?: 'live' | 'paused' } = {},
): Promise<User> {
  const datadog = await startDatadog({ api: ENV.DD_API_KEY, app: ENV.DD_APP_KEY })
  datadog.tests.set(TEST.id, {
    everySeconds: 60,
    ...more,
    results: results.map(({ agoSeconds, ...rest }) => ({ ...rest, atMs: NOW_MS - agoSeconds * 1000 })),
  })
  const clock = createFakeClock(NOW_MS)
  const keys = { apiKey: '${env:DD_API_KEY}', appKey: '${env:DD_APP_KEY}' }
  const settings = datadogSettings.parse({ url: datadog.url, ...keys, ingestDelay: '30s' })
  const reader = openSynthetics(settings, { ...adapterContext(ENV), clock })
  return { datadog, clock, reader, read: (one = TEST) => reader.read(one, AbortSignal.timeout(120_000)) }
}

function passed(agoSeconds: number, seconds = 0.12): unknown {
  return { kind: 'result', outcome: { kind: 'passed', seconds }, endedAtMs: NOW_MS - agoSeconds * 1000 }
}

function failed(agoSeconds: number, why: RegExp): unknown {
  const outcome = { kind: 'failed', seconds: 0.12, why: expect.stringMatching(why) }
  return { kind: 'result', outcome, endedAtMs: NOW_MS - agoSeconds * 1000 }
}

const [A, B, C] = ['aws:eu-central-1', 'aws:eu-west-1', 'pl:prod-b']

describe('the results of a Datadog synthetic test', () => {
  test.each([
    [
      'the newest run passed',
      [
        { agoSeconds: 20, status: 'passed' },
        { agoSeconds: 80, status: 'failed' },
      ],
      passed(20),
    ],
    [
      'the newest run failed',
      [
        { agoSeconds: 20, status: 'failed', error: 'status 500, not 200' },
        { agoSeconds: 80, status: 'passed' },
      ],
      failed(20, /abc-def-ghi failed: status 500, not 200/),
    ],
    ['older than the time between two runs', [{ agoSeconds: 91, status: 'passed' }], missingWhy('stale')],
    ['as old as it may be', [{ agoSeconds: 90, status: 'passed' }], passed(90)],
    ['no run at all', [], missingWhy('empty')],
    ['a run that came to nothing', [{ agoSeconds: 20, status: 'no_data' }], missingWhy('empty')],
    ['a run in an unwell place', [{ agoSeconds: 20, status: 'failed', unhealthy: true }], missingWhy('empty')],
    [
      'a run that a pipeline began is of something else',
      [
        { agoSeconds: 5, status: 'failed', runType: 'ci' },
        { agoSeconds: 40, status: 'passed' },
      ],
      passed(40),
    ],
    [
      'one place of three fails',
      [
        { agoSeconds: 5, status: 'failed', location: A },
        { agoSeconds: 10, status: 'passed', location: B },
        { agoSeconds: 25, status: 'passed', location: C },
      ],
      passed(25),
    ],
    [
      'two places of three fail',
      [
        { agoSeconds: 5, status: 'failed', location: A },
        { agoSeconds: 10, status: 'failed', location: B },
        { agoSeconds: 25, status: 'passed', location: C },
      ],
      failed(25, /in 2 of 3 places/),
    ],
    [
      'a place that stopped long ago says nothing',
      [
        { agoSeconds: 5, status: 'passed', location: A },
        { agoSeconds: 300, status: 'failed', location: B },
      ],
      passed(5),
    ],
  ] as const)('%s', async (_, results, said) => {
    const { read } = await startUser(results)
    expect(await read()).toEqual(said)
  })

  test('with a location only what ran there counts', async () => {
    const { read, datadog } = await startUser([
      { agoSeconds: 5, status: 'failed', location: A },
      { agoSeconds: 30, status: 'passed', location: C },
    ])
    expect(await read({ ...TEST, location: C })).toEqual(passed(30))
    expect(datadog.requests.at(-1)?.url).toContain(`probe_dc=${encodeURIComponent(C)}`)
    expect(await read({ ...TEST, location: 'pl:nowhere' })).toEqual(missingWhy('empty'))
  })

  test('a paused test is missing, whatever it said', async () => {
    const { read } = await startUser([{ agoSeconds: 5, status: 'passed' }], { status: 'paused' })
    expect(await read()).toEqual({ kind: 'missing', why: 'stale', detail: expect.stringContaining('paused') })
  })

  test('a test that is not there is named', async () => {
    const { read } = await startUser([])
    expect(await read({ id: 'xxx-xxx-xxx', location: null })).toEqual({
      kind: 'missing',
      why: 'refused',
      detail: expect.stringContaining('xxx-xxx-xxx'),
    })
  })

  test('between two runs it is asked about a few times, and each run is told', async () => {
    const { read, clock, datadog } = await startUser([{ agoSeconds: 20, status: 'passed' }])
    const told = new Set<number>()
    for (let seconds = 0; seconds < 300; seconds += 5) {
      if (seconds % 60 === 40)
        datadog.tests.get(TEST.id)?.results.push({ atMs: clock.nowMs(), status: 'passed', durationMs: 50 })
      const said = await read()
      if (said.kind === 'result') told.add(said.endedAtMs)
      await clock.advance(5_000)
    }
    expect(told.size).toBe(6)
    expect(datadog.requests.length).toBeLessThan(30)
  })

  test('a failed question repeats what is known while it holds, and then says why it failed', async () => {
    const { read, clock, datadog } = await startUser([{ agoSeconds: 20, status: 'passed' }])
    expect(await read()).toEqual(passed(20))
    datadog.instead = (request, response) => {
      answering(503, '<html>')(response, request)
      return true
    }
    await clock.advance(60_000)
    expect(await read()).toEqual(passed(20))
    await clock.advance(20_000)
    expect(await read()).toEqual(missingWhy('unreachable'))
    datadog.instead = null
    datadog.tests.get(TEST.id)?.results.push({ atMs: clock.nowMs(), status: 'failed' })
    expect(await read()).toMatchObject({ outcome: { kind: 'failed' }, endedAtMs: NOW_MS + 80_000 })
  })

  test('the limit of its endpoint is obeyed', async () => {
    const { read, clock, datadog } = await startUser([{ agoSeconds: 20, status: 'passed' }])
    datadog.limits = { path: '/results', left: 0, resetSeconds: 120 }
    expect(await read()).toEqual({ kind: 'missing', why: 'refused', detail: expect.stringContaining('rate limit') })
    const asked = datadog.requests.length
    await clock.advance(30_000)
    await read()
    expect(datadog.requests).toHaveLength(asked)
  })

  test.each([
    ['no JSON', answering(200, '<p>')],
    ['another JSON', answering(200, '{"data":[{"attributes":{}}]}')],
  ])('%s is no answer', async (_, answer) => {
    const { read, datadog } = await startUser([{ agoSeconds: 20, status: 'passed' }])
    datadog.instead = (request, response) => {
      if (request.url.includes('/results')) answer(response, request)
      return request.url.includes('/results')
    }
    expect(await read()).toEqual(missingWhy('bad-answer'))
  })

  test('with an aborted signal, and with nobody there, it is missing; it can be closed twice', async () => {
    const { reader, read, datadog } = await startUser([{ agoSeconds: 20, status: 'passed' }])
    expect(await reader.read(TEST, AbortSignal.abort())).toEqual(missingWhy('timeout'))
    await datadog.stop()
    expect(await read()).toEqual(missingWhy('unreachable'))
    await reader.close()
    await reader.close()
  })

  test('words of its runs are cut, and no key is in what is told', async () => {
    const { read } = await startUser([{ agoSeconds: 5, status: 'failed', error: `no\n${'x'.repeat(1000)}` }])
    const said = JSON.stringify(await read())
    expect(said.length).toBeLessThan(400)
    expect(said).not.toContain('canary')
  })
})
