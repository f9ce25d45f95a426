import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/ports/runtime.ts'
import { signatureOf } from '../../src/shared/signature.ts'
import { TRACED } from '../support/adapter-context.ts'
import { createFastClock } from '../support/fast-clock.ts'
import { until } from '../support/until.ts'
import {
  type Answer,
  answering,
  answeringBytes,
  dripping,
  endless,
  halfAnAnswer,
  silent,
  startWebServer,
} from '../support/web-server.ts'
import { createTaskRig, httpTask, SIGNING_KEY } from './rig.ts'

const reset: Answer = (response) => void response.destroy()

/** Answers each request by the next of these, and the last for ever. */
function inTurn(...answers: readonly Answer[]): Answer {
  let count = 0
  return (response, request) => (answers[Math.min(count++, answers.length - 1)] ?? silent)(response, request)
}

describe('what a hook is sent', () => {
  test('a POST that says what it is for, under the key of the task', async () => {
    const server = await startWebServer(answering(200, 'all 40 tests passed'))
    const { run, ended } = createTaskRig({ tracer: TRACED })
    expect(await run(httpTask(`${server.url}/smoke?suite=cart`))).toMatchObject({
      kind: 'passed',
      detail: 'answered 200: all 40 tests passed',
    })
    expect(server.requests).toMatchObject([{ method: 'POST', url: '/smoke?suite=cart' }])
    expect(server.requests[0]?.headers).toMatchObject({
      ...TRACED.headers(),
      'idempotency-key': 'RUN/checkout/1/after-step/2/smoke/1',
      'content-type': 'application/json',
    })
    expect(server.requests[0]?.headers).not.toHaveProperty('x-headgate-signature')
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      runId: 'RUN',
      migration: 'eks-1-33',
      workload: 'checkout',
      point: 'after-step',
      name: 'smoke',
      weightPercent: 10,
      key: 'RUN/checkout/1/after-step/2/smoke/1',
      attempt: 1,
    })
    expect(ended).toEqual(['checkout'])
  })

  test('each request has a signature of its own time and body', async () => {
    const server = await startWebServer(inTurn(answering(202, ''), answering(500, ''), answering(200, '')))
    const { run } = createTaskRig()
    await run(httpTask(server.url, { signingKey: '${env:HOOK_KEY}' }))
    expect(server.requests.length).toBe(3)
    for (const { headers, body } of server.requests) {
      const signature = String(headers['x-headgate-signature'])
      const seconds = Number(/^t=(\d+),v1=[0-9a-f]{64}$/.exec(signature)?.[1])
      expect(signature).toBe(signatureOf(body, SIGNING_KEY, seconds * 1000))
    }
  })

  test('a signing key that is not there is a trouble that names the reference, and nothing is sent', async () => {
    const server = await startWebServer(answering(200, ''))
    const { run } = createTaskRig()
    const end = await run(httpTask(server.url, { signingKey: '${env:NO_KEY}' }))
    expect(end).toMatchObject({ kind: 'failed', detail: '${env:NO_KEY} is not set; tried 3 times' })
    expect(server.requests).toEqual([])
  })
})

describe('how an answer is judged', () => {
  test.each<[string, Answer, Parameters<typeof httpTask>[1], string, string]>([
    ['a status that is expected', answering(204, ''), {}, 'passed', 'answered 204'],
    [
      'another status',
      answering(422, '3 of 40\nfailed: cart'),
      {},
      'failed',
      'answered 422, not 200 or 204: 3 of 40 failed: cart',
    ],
    [
      'a body that matches',
      answering(200, '{"passed": true}'),
      { expectBody: '"passed": ?true' },
      'passed',
      'answered 200: {"passed": true}',
    ],
    [
      'a body that does not',
      answering(200, '{"passed": false}'),
      { expectBody: '"passed": ?true' },
      'failed',
      'answered 200, but the body does not match: {"passed": false}',
    ],
    [
      'a redirect to the metadata of the machine',
      answering(302, '', { location: 'http://169.254.169.254/latest' }),
      {},
      'failed',
      'answered 302; a redirect is not followed',
    ],
    [
      'a 202 that sends Headgate elsewhere',
      answering(202, '', { location: 'http://169.254.169.254/latest' }),
      {},
      'failed',
      'answered 202 with a Location of another origin, which is not followed',
    ],
    ['a huge answer', answeringBytes(10_000_000), {}, 'failed', 'answered 200 with more than 65536 bytes'],
    ['an answer without end', endless, {}, 'failed', 'answered 200 with more than 65536 bytes'],
    ['a very long sentence', answering(200, 'x'.repeat(5000)), {}, 'passed', `answered 200: ${'x'.repeat(199)}…`],
    [
      'an answer that repeats the key',
      answering(500, `key ${SIGNING_KEY}`),
      { signingKey: '${env:HOOK_KEY}' },
      'failed',
      'answered 500: key …; tried 3 times',
    ],
  ])('%s', async (_, answer, changes, kind, detail) => {
    const server = await startWebServer(answer)
    const { run } = createTaskRig()
    expect(await run(httpTask(server.url, changes))).toMatchObject({ kind, detail })
    const asked = detail.includes('tried 3') ? 3 : 1
    expect(server.requests.length).toBe(asked)
  })
})

describe('when no answer comes', () => {
  test.each<[string, Answer, string]>([
    ['500', answering(500, 'no database'), 'answered 500: no database; tried 3 times'],
    ['429', answering(429, ''), 'answered 429; tried 3 times'],
    ['a connection that is reset', reset, 'no answer (UND_ERR_SOCKET); tried 3 times'],
    ['half an answer', halfAnAnswer, 'no answer (UND_ERR_SOCKET); tried 3 times'],
  ])('%s: it is tried as often as it may be, under the same key', async (_, answer, detail) => {
    const server = await startWebServer(answer)
    const { run } = createTaskRig()
    expect(await run(httpTask(server.url))).toMatchObject({ kind: 'failed', detail })
    expect(server.requests.map(({ body }) => JSON.parse(body).attempt)).toEqual([1, 2, 3])
    expect(new Set(server.requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  })

  test('trouble that passes is no failure', async () => {
    const server = await startWebServer(inTurn(reset, answering(503, ''), answering(200, 'passed')))
    const { run } = createTaskRig()
    expect(await run(httpTask(server.url))).toMatchObject({ kind: 'passed', detail: 'answered 200: passed' })
  })

  test.each<[string, Answer]>([
    ['silence', silent],
    ['a byte now and then', dripping],
  ])('%s: each try has its time', async (_, answer) => {
    const server = await startWebServer(answer)
    const { run } = createTaskRig()
    const end = await run(httpTask(server.url, { timeoutSeconds: 30 }), { tries: 2 })
    expect(end).toMatchObject({ kind: 'failed', detail: 'no whole answer within 30 s; tried 2 times' })
    await until('all connections to be closed', () => server.openConnections() === 0)
  })

  test('the deadline ends all tries, and says how far it was', async () => {
    const server = await startWebServer(answering(503, 'busy'))
    const { run } = createTaskRig()
    const end = await run(httpTask(server.url), { tries: 100, deadlineSeconds: 300 })
    expect(end).toMatchObject({ kind: 'failed' })
    expect(end.detail).toMatch(/^not done within 5 min; so far: try \d+ of 100: answered 503: busy$/)
  })

  test('one that is busy is asked no sooner than it says', async () => {
    const slept: number[] = []
    const fast = createFastClock(100)
    const sleep: Clock['sleep'] = (ms, signal) => {
      slept.push(ms)
      return fast.sleep(ms, signal)
    }
    const busy = answering(429, '', { 'retry-after': '20' })
    const server = await startWebServer(inTurn(busy, answering(503, '', { 'retry-after': 'soon' }), answering(200, '')))
    const { run } = createTaskRig({ clock: { ...fast, sleep } })
    expect(await run(httpTask(server.url, { timeoutSeconds: 600 }))).toMatchObject({ kind: 'passed' })
    const deadlines = [36_000_000, 600_000]
    expect(slept.filter((ms) => !deadlines.includes(ms))).toEqual([20_000, 1000])
  })

  test('a server that is not there', async () => {
    const server = await startWebServer(silent)
    await server.stop()
    const { run } = createTaskRig()
    expect(await run(httpTask(server.url), { tries: 1 })).toMatchObject({
      kind: 'failed',
      detail: 'no answer (ECONNREFUSED)',
    })
  })
})

describe('work that takes its time', () => {
  test('answered 202, it is asked again by POST until it has ended', async () => {
    const running = answering(202, '12 of 40 done')
    const server = await startWebServer(inTurn(running, running, running, answering(200, 'all 40 passed')))
    const { run } = createTaskRig()
    expect(await run(httpTask(server.url))).toMatchObject({ kind: 'passed', detail: 'answered 200: all 40 passed' })
    expect(server.requests.map(({ method, body }) => [method, JSON.parse(body).attempt])).toEqual(
      new Array(4).fill(['POST', 1]),
    )
  })

  test('while it runs, its reading says what was answered', async () => {
    const server = await startWebServer(answering(202, '12 of 40 done', { 'retry-after': '60' }))
    const { runner, readingOf, run } = createTaskRig()
    const done = run(httpTask(server.url), { key: 'k' })
    await until('the reading', () => readingOf('k')?.detail === 'still running: 12 of 40 done')
    expect(readingOf('k')).toEqual({ kind: 'running', detail: 'still running: 12 of 40 done' })
    server.answer = answering(200, '')
    await done
    await runner.close()
  })

  test('with a Location it is asked there by a signed GET', async () => {
    const server = await startWebServer(
      inTurn(answering(202, '', { location: '/runs/7' }), answering(202, ''), answering(422, '1 failed')),
    )
    const { run } = createTaskRig()
    const end = await run(httpTask(`${server.url}/smoke`, { signingKey: '${env:HOOK_KEY}' }))
    expect(end).toMatchObject({ kind: 'failed', detail: 'answered 422, not 200 or 204: 1 failed' })
    expect(server.requests.map(({ method, url, body }) => [method, url, body === ''])).toEqual([
      ['POST', '/smoke', false],
      ['GET', '/runs/7', true],
      ['GET', '/runs/7', true],
    ])
    expect(server.requests.every(({ headers }) => 'x-headgate-signature' in headers)).toBe(true)
  })

  test('a few questions without an answer in between are no failure', async () => {
    const accepted = answering(202, '', { location: '/runs/7' })
    const server = await startWebServer(inTurn(accepted, reset, answering(503, ''), reset, answering(200, 'passed')))
    const { run } = createTaskRig()
    expect(await run(httpTask(server.url), { tries: 1 })).toMatchObject({ kind: 'passed' })
  })

  test('a receiver that has forgotten it is given it again by the next try', async () => {
    const accepted = answering(202, '', { location: '/runs/7' })
    const forgotten = new Array<Answer>(5).fill(answering(404, ''))
    const server = await startWebServer(inTurn(accepted, ...forgotten, accepted, answering(200, 'passed')))
    const { run } = createTaskRig()
    expect(await run(httpTask(server.url), { tries: 2 })).toMatchObject({ kind: 'passed' })
    expect(
      server.requests.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body).attempt),
    ).toEqual([1, 2])
  })
})

describe('where a hook may not be', () => {
  test.each([
    ['http://169.254.169.254/latest', '169.254.169.254'],
    ['http://0xa9fea9fe/latest', '169.254.169.254'],
    ['http://[fe80::1]/', 'fe80::1'],
    ['http://[::ffff:169.254.169.254]/', '::ffff:a9fe:a9fe'],
    ['http://[fd00:ec2::254]/', 'fd00:ec2::254'],
  ])('%s is not asked', async (url, address) => {
    const { run } = createTaskRig()
    const detail = `${address} is a link-local or a metadata address: it is not asked, unless \`allowAddresses\` has it`
    expect(await run(httpTask(url))).toMatchObject({ kind: 'failed', detail })
  })

  test('nor a name that DNS says is there, even among other addresses', async () => {
    const { run } = createTaskRig({
      lookup: (_, __, callback) =>
        callback(null, [
          { address: '127.0.0.1', family: 4 },
          { address: '169.254.169.254', family: 4 },
        ]),
    })
    const end = await run(httpTask('http://tests.example.com/'))
    expect(end.detail).toMatch(/^169\.254\.169\.254 is a link-local/)
  })

  test('a name is asked at the address that was looked at, and no other', async () => {
    const server = await startWebServer(answering(200, ''))
    let lookups = 0
    const { run } = createTaskRig({
      lookup: (_, __, callback) => {
        lookups += 1
        callback(null, [{ address: lookups === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }])
      },
    })
    expect(await run(httpTask(`http://tests.example.com:${server.port}/`))).toMatchObject({ kind: 'passed' })
    expect(server.requests[0]?.headers.host).toBe(`tests.example.com:${server.port}`)
  })

  test('a name that DNS does not know is trouble', async () => {
    const { run } = createTaskRig({
      lookup: (_, __, callback) => callback(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []),
    })
    const end = await run(httpTask('http://tests.example.com/'), { tries: 1 })
    expect(end).toMatchObject({ kind: 'failed', detail: 'no answer (ENOTFOUND)' })
  })
})
