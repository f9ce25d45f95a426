import { describe, expect, test } from 'vitest'
import { problem } from '../../src/core/problem.ts'
import { EVERYTHING } from '../../src/policy/access.ts'
import { OPERATOR_TOKEN, signIn, TOKENS, testApi, VIEWER_TOKEN } from '../support/api.ts'

const viewer = { authorization: `Bearer ${VIEWER_TOKEN}` }
const RATES = { reads: 3, changes: 2, refusals: 2 }

describe('who asks too often', () => {
  const statusesOf = async (requests: readonly object[]) => {
    const { app, audited } = await testApi({ rates: () => RATES })
    const answers = []
    for (const request of requests) answers.push(await app.inject({ url: '/api/v1/status', ...request }))
    return { answers, statuses: answers.map(({ statusCode }) => statusCode), audited }
  }
  const times = (count: number, request: object) => Array.from({ length: count }, () => request)

  test('is refused with when to come back, and told of', async () => {
    const { answers, statuses, audited } = await statusesOf(times(4, { headers: viewer }))
    expect(statuses).toEqual([200, 200, 200, 429])
    expect(answers[3]?.json()).toMatchObject({ code: 'API_RATE_LIMITED' })
    expect(Number(answers[3]?.headers['retry-after'])).toBeGreaterThan(0)
    expect(audited).toMatchObject([{ actor: 'grafana', code: 'API_RATE_LIMITED' }])
  })

  test('is not refused for others, nor for what is of another kind', async () => {
    const operator = { authorization: `Bearer ${OPERATOR_TOKEN}` }
    const pause = {
      url: '/api/v1/commands',
      method: 'POST',
      headers: operator,
      body: { command: 'pause', reason: 'x' },
    }
    const { statuses } = await statusesOf([
      ...times(4, { headers: viewer }),
      { headers: operator },
      pause,
      pause,
      pause,
    ])
    expect(statuses).toEqual([200, 200, 200, 429, 200, 202, 202, 429])
  })

  test('is counted also for what it may not do: each costs a line of the audit', async () => {
    const pause = { url: '/api/v1/commands', method: 'POST', headers: viewer, body: { command: 'pause', reason: 'x' } }
    expect((await statusesOf(times(3, pause))).statuses).toEqual([403, 403, 429])
    const alert = { ...pause, url: '/api/v1/webhooks/alertmanager', body: {} }
    expect((await statusesOf(times(3, alert))).statuses).toEqual([403, 403, 429])
  })

  test('by a session counts as by its token', async () => {
    const { app } = await testApi({ rates: () => RATES })
    const { headers } = await signIn(app, VIEWER_TOKEN)
    const ask = async (by: Record<string, string>) =>
      (await app.inject({ url: '/api/v1/status', headers: by })).statusCode
    expect([await ask(headers), await ask(viewer), await ask(headers), await ask(viewer)]).toEqual([200, 200, 200, 429])
  })

  test('with a person’s token that lets them do nothing is counted by address', async () => {
    const refused = () => problem('API_FORBIDDEN', 'in no group')
    const verifier = { manner: '', verify: async () => refused(), recall: refused }
    const { app } = await testApi({ rates: () => RATES, oidc: () => verifier })
    const headers = { authorization: 'Bearer aaaa.bbbb.cccc' }
    const ask = async () => (await app.inject({ url: '/api/v1/status', headers })).statusCode
    expect([await ask(), await ask(), await ask()]).toEqual([403, 403, 429])
  })

  test('without a valid token is counted by address, and keeps no valid one out', async () => {
    const { statuses } = await statusesOf([...times(3, {}), { headers: viewer }])
    expect(statuses).toEqual([401, 401, 429, 200])
  })

  test('health checks are not counted, metrics are', async () => {
    const { statuses } = await statusesOf([...times(9, { url: '/readyz' }), ...times(4, { url: '/metrics' })])
    expect(statuses).toEqual([...Array(9).fill(200), 200, 200, 200, 429])
  })

  test('behind a trusted proxy it is the caller’s address that counts', async () => {
    const { app, audited } = await testApi({ trustedProxies: ['127.0.0.0/8'] })
    await app.inject({ url: '/api/v1/status', headers: { 'x-forwarded-for': '192.0.2.7' } })
    const direct = await testApi()
    await direct.app.inject({ url: '/api/v1/status', headers: { 'x-forwarded-for': '192.0.2.7' } })
    expect([audited[0]?.address, direct.audited[0]?.address]).toEqual(['192.0.2.7', '127.0.0.1'])
  })
})

test('answers tell a browser to do nothing with them', async () => {
  const { app } = await testApi()
  for (const url of ['/healthz', '/api/v1/status', '/nowhere'])
    expect((await app.inject({ url, headers: viewer })).headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'x-frame-options': expect.any(String),
    })
})

describe('a token that is narrowed to a team', () => {
  const scoped = async () => {
    const [, operator] = TOKENS
    if (!operator) throw new Error('no operator')
    const api = await testApi({
      tokens: () => [{ ...operator, scope: { ...EVERYTHING, teams: ['payments'] } }],
      teamOf: (workload) => (workload === 'checkout' ? 'payments' : null),
    })
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` }
    return { ...api, ask: (request: object) => api.app.inject({ headers, ...request }) }
  }

  test('sees its workloads, their rows, and no others', async () => {
    const { ask, service } = await scoped()
    const { fakeEvent } = await import('../fakes/service.ts')
    for (const workload of ['catalog', 'checkout', null, 'checkout', 'catalog']) service.append(fakeEvent(workload))
    const { workloads } = (await ask({ url: '/api/v1/workloads' })).json()
    expect(workloads.map(({ name }: { name: string }) => name)).toEqual(['checkout'])
    const page = (await ask({ url: '/api/v1/journal?limit=1' })).json()
    expect([page.rows.length, page.rows[0].seq]).toEqual([1, 2])
    const rest = (await ask({ url: `/api/v1/journal?afterSeq=${page.nextAfterSeq}` })).json()
    expect([rest.rows.map(({ seq }: { seq: number }) => seq), rest.nextAfterSeq]).toEqual([[4], 5])
    expect((await ask({ url: '/api/v1/workloads/catalog' })).json().code).toBe('API_FORBIDDEN')
    expect((await ask({ url: '/api/v1/journal?workload=catalog' })).json().code).toBe('API_FORBIDDEN')
    expect((await ask({ url: '/api/v1/stream?workload=catalog' })).json().code).toBe('API_FORBIDDEN')
  })

  test('commands all that it covers, and of what is named the whole or nothing', async () => {
    const { ask, service } = await scoped()
    const send = (body: object) =>
      ask({ method: 'POST', url: '/api/v1/commands', body: { command: 'halt', reason: 'x', ...body } })
    expect((await send({ migration: 'eks-1-33' })).json().code).toBe('API_FORBIDDEN')
    expect(service.submitted).toEqual([])
    expect((await send({})).statusCode).toBe(202)
    expect(service.submitted.map(({ workload }) => workload)).toEqual(['checkout'])
  })
})
