import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../src/core/observation.ts'
import { problem } from '../../src/core/problem.ts'
import { createFakeService, fakeEvent, fakeStatus, fakeView, NOW_MS } from '../fakes/service.ts'
import { listeningApi, OPERATOR_TOKEN, testApi, VIEWER_TOKEN } from '../support/api.ts'

const viewer = { authorization: `Bearer ${VIEWER_TOKEN}` }
const operator = { authorization: `Bearer ${OPERATOR_TOKEN}` }
const COMMAND_URL = '/api/v1/workloads/catalog/commands'

describe('health', () => {
  test('a live process says so, even when it cannot decide', async () => {
    const { app, service } = await testApi()
    service.status = { ...fakeStatus(), notReady: [problem('STORE_UNAVAILABLE', 'the disk is full').toJSON()] }
    expect((await app.inject('/healthz')).json()).toEqual({ ok: true })
  })

  test('ready: 200; not ready: 503 with the problems', async () => {
    const { app, service } = await testApi()
    expect((await app.inject('/readyz')).json()).toEqual({ ready: true, problems: [] })
    const reason = problem('STORE_UNAVAILABLE', 'the disk is full').toJSON()
    service.status = { ...fakeStatus(), notReady: [reason] }
    const response = await app.inject('/readyz')
    expect(response.statusCode).toBe(503)
    expect(response.json()).toEqual({ ready: false, problems: [reason] })
  })

  test('metrics come as they are, with their own content type', async () => {
    const { app } = await testApi()
    const response = await app.inject('/metrics')
    expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(response.body).toBe('headgate_up 1\n')
  })
})

describe('state', () => {
  test('the status says what is migrated and whether it can decide', async () => {
    const { app } = await testApi()
    const response = await app.inject({ url: '/api/v1/status', headers: viewer })
    expect(response.json()).toEqual({ ...fakeStatus(), ready: true })
  })

  test('workloads come in the order of the config, one clause each', async () => {
    const { app } = await testApi()
    const { workloads } = (await app.inject({ url: '/api/v1/workloads', headers: viewer })).json()
    expect(workloads).toHaveLength(2)
    expect(workloads[0]).toEqual({
      name: 'catalog',
      migration: 'eks-1-33',
      runId: 'run-catalog',
      policy: 'standard',
      phase: { name: 'stepping', stepIndex: 1 },
      phaseSinceMs: NOW_MS - 60_000,
      stepNumber: 2,
      stepCount: 3,
      intendedWeightPercent: 10,
      confirmedWeightPercent: 10,
      observedSharePercent: null,
      inForceAtMs: NOW_MS - 40_000,
      heldSeconds: 40,
      holds: [],
      outcome: 'pass',
      why: 'held 40 s of 5 min',
    })
  })

  test('one workload comes whole: nothing that the core knows is lost on the wire', async () => {
    const { app, service } = await testApi()
    const view = fakeView('catalog')
    service.workloads = [view]
    const detail = (await app.inject({ url: '/api/v1/workloads/catalog', headers: viewer })).json()
    expect(detail.plan).toEqual(view.plan)
    expect(detail.readings).toEqual(view.observation)
    expect(detail.verdicts).toEqual(view.verdicts)
    expect(detail.evidence).toEqual(view.state.evidence)
    expect(detail.times.confirmedAtMs).toBe(view.state.confirmedAtMs)
    expect(detail.planPinned).toBe(true)
  })

  test('verdicts that were not made since the start are unknown, their worst outcome is not', async () => {
    const { app, service } = await testApi()
    service.workloads = [fakeView('catalog', { verdicts: null, outcomes: { a: 'wait', b: 'pass' } })]
    const detail = (await app.inject({ url: '/api/v1/workloads/catalog', headers: viewer })).json()
    expect(detail).toMatchObject({ verdicts: null, outcome: 'wait' })
  })

  test.each([
    [{ name: 'waiting' }],
    [{ name: 'preflight' }],
    [{ name: 'preparing' }],
    [{ name: 'baking' }],
    [{ name: 'draining' }],
    [{ name: 'completed' }],
    [{ name: 'reverting', reason: 'errors', startedAtMs: NOW_MS }],
    [{ name: 'reverted', reason: 'errors' }],
    [{ name: 'cancelled', reason: 'not today' }],
  ] as const)('phase $name keeps its fields', async (phase) => {
    const { app, service } = await testApi()
    service.workloads = [fakeView('catalog', { phase })]
    const detail = (await app.inject({ url: '/api/v1/workloads/catalog', headers: viewer })).json()
    expect(detail.phase).toEqual(phase)
  })

  test('an unknown workload is not found, and the answer names it', async () => {
    const { app } = await testApi()
    const response = await app.inject({ url: '/api/v1/workloads/nope', headers: viewer })
    expect(response.statusCode).toBe(404)
    expect(response.headers['content-type']).toContain('application/problem+json')
    expect(response.json()).toMatchObject({ code: 'API_NOT_FOUND', cause: 'there is no workload "nope"' })
    expect(response.json().requestId).toMatch(/^[0-9A-Z]{26}$/)
  })
})

describe('journal', () => {
  test('pages join without a gap or a double, each row with its sentence', async () => {
    const { app, service } = await testApi()
    service.append(...Array.from({ length: 25 }, (_, n) => fakeEvent(n % 2 ? 'checkout' : 'catalog', `reason ${n}`)))
    const seqs: number[] = []
    for (let afterSeq = 0; ; ) {
      const page = (await app.inject({ url: `/api/v1/journal?limit=10&afterSeq=${afterSeq}`, headers: viewer })).json()
      if (page.rows.length === 0) break
      expect(page.lastSeq).toBe(25)
      seqs.push(...page.rows.map((row: { seq: number }) => row.seq))
      afterSeq = page.nextAfterSeq
    }
    expect(seqs).toEqual(Array.from({ length: 25 }, (_, n) => n + 1))
  })

  test('a row carries the whole event, a sentence and its severity', async () => {
    const { app, service } = await testApi()
    const event = fakeEvent('catalog')
    service.append(fakeEvent('checkout'), event)
    const { rows } = (await app.inject({ url: '/api/v1/journal?workload=catalog', headers: viewer })).json()
    expect(rows).toEqual([{ seq: 2, severity: 'info', sentence: 'preparing → stepping 1: first step', event }])
  })

  test('the head is the newest row, and the whole journal is proven up to it', async () => {
    const { app, service } = await testApi()
    service.append(fakeEvent('checkout'), fakeEvent('catalog'))
    const ask = async (path: string) => (await app.inject({ url: `/api/v1/journal/${path}`, headers: viewer })).json()
    const head = await ask('head')
    expect(head).toEqual({ seq: 2, hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(await ask(`verify?seq=2&hash=${head.hash}`)).toEqual({ head, fault: null })
    service.record.stored.shift()
    expect(await ask('verify')).toEqual({
      head,
      fault: { seq: 1, what: 'missing', detail: 'row 1 is missing' },
    })
  })

  test.each(['seq=2', `hash=${'0'.repeat(64)}`, 'seq=0', 'seq=1&hash=xyz'])('verify?%s does not fit', async (query) => {
    const { app } = await testApi()
    const response = await app.inject({ url: `/api/v1/journal/verify?${query}`, headers: viewer })
    expect([response.statusCode, response.json().code]).toEqual([400, 'API_BAD_REQUEST'])
  })

  test.each(['limit=0', 'limit=1001', 'limit=x', 'afterSeq=-1', 'afterSeq=1.5', 'workload='])(
    '?%s does not fit',
    async (query) => {
      const { app } = await testApi()
      const response = await app.inject({ url: `/api/v1/journal?${query}`, headers: viewer })
      expect(response.statusCode).toBe(400)
      expect(response.json()).toMatchObject({ code: 'API_BAD_REQUEST' })
      expect(response.json().cause).toContain(`querystring/${query.split('=')[0]}: `)
    },
  )
})

describe('the report', () => {
  test.each([
    ['', 'html of null with null', 'text/html; charset=utf-8'],
    ['?format=json&migration=m', 'json of m with null', 'application/json; charset=utf-8'],
    ['?format=md&plots=a.svg', 'md of null with a.svg', 'text/markdown; charset=utf-8'],
    ['?format=svg', 'svg of null with null', 'image/svg+xml; charset=utf-8'],
  ])('%s comes as it was asked for, and a browser may only show it', async (query, body, type) => {
    const { app } = await testApi()
    const response = await app.inject({ url: `/api/v1/report${query}`, headers: viewer })
    expect([response.statusCode, response.body]).toEqual([200, body])
    expect(response.headers).toMatchObject({
      'content-type': type,
      'content-security-policy': expect.stringMatching(/^default-src 'none'/),
      'x-content-type-options': 'nosniff',
    })
  })

  test('of a migration that is not there is refused as any other request', async () => {
    const { app } = await testApi({
      report: async ({ migration }) => {
        throw problem('API_NOT_FOUND', `there is no migration "${migration}"`)
      },
    })
    const response = await app.inject({ url: '/api/v1/report?migration=x', headers: viewer })
    expect([response.statusCode, response.headers['content-type']]).toEqual([
      404,
      expect.stringContaining('application/problem+json'),
    ])
    expect(response.json()).toMatchObject({ code: 'API_NOT_FOUND', cause: 'there is no migration "x"' })
  })

  test.each(['format=pdf', 'migration=', 'plots='])('?%s does not fit', async (query) => {
    const { app } = await testApi()
    const response = await app.inject({ url: `/api/v1/report?${query}`, headers: viewer })
    expect([response.statusCode, response.json().code]).toEqual([400, 'API_BAD_REQUEST'])
  })

  test('needs a token where there are tokens', async () => {
    const { app } = await testApi()
    expect((await app.inject('/api/v1/report')).statusCode).toBe(401)
  })
})

describe('commands', () => {
  const post = async (api: Awaited<ReturnType<typeof testApi>>, body: object, headers: Record<string, string> = {}) =>
    api.app.inject({ method: 'POST', url: COMMAND_URL, headers: { ...operator, ...headers }, body })

  test.each(COMMANDS)('%s is taken, in the name of the token', async (command) => {
    const api = await testApi()
    const response = await post(api, { command, reason: ' because ' })
    expect(response.statusCode).toBe(202)
    expect(response.json()).toEqual({ factId: 'fact-1', isNew: true })
    expect(api.service.submitted).toEqual([
      { workload: 'catalog', command, reason: 'because', actor: 'ada', force: false, roles: [], factId: null },
    ])
  })

  test('the same Idempotency-Key counts once', async () => {
    const api = await testApi()
    const send = () => post(api, { command: 'halt', reason: 'errors' }, { 'idempotency-key': 'incident-7' })
    expect((await send()).json()).toEqual({ factId: 'incident-7', isNew: true })
    expect((await send()).json()).toEqual({ factId: 'incident-7', isNew: false })
    expect(api.service.submitted).toHaveLength(1)
  })

  test('a revert may be forced', async () => {
    const api = await testApi()
    expect((await post(api, { command: 'revert', reason: 'now', force: true })).statusCode).toBe(202)
    expect(api.service.submitted[0]?.force).toBe(true)
  })

  test.each([
    ['no reason', { command: 'pause' }, 'body/reason'],
    ['an empty reason', { command: 'pause', reason: '  ' }, 'body/reason'],
    ['a reason that is too long', { command: 'pause', reason: 'x'.repeat(501) }, 'body/reason'],
    ['a reason of two lines', { command: 'pause', reason: 'a\nb' }, 'body/reason'],
    ['a reason that steers terminals', { command: 'pause', reason: 'a\u001b[2J' }, 'body/reason'],
    ['an unknown command', { command: 'explode', reason: 'x' }, 'body/command'],
    ['an unknown key', { command: 'pause', reason: 'x', forse: true }, 'body'],
    ['force without a revert', { command: 'pause', reason: 'x', force: true }, 'body/force'],
  ])('%s is refused, and the answer points at it', async (_name, body, pointer) => {
    const api = await testApi()
    const response = await post(api, body)
    expect(response.statusCode).toBe(400)
    expect(response.json().code).toBe('API_BAD_REQUEST')
    expect(response.json().cause).toContain(`${pointer}: `)
    expect(api.service.submitted).toEqual([])
  })

  test('an unknown workload is not found', async () => {
    const { app } = await testApi()
    const response = await app.inject({
      method: 'POST',
      url: '/api/v1/workloads/nope/commands',
      headers: operator,
      body: { command: 'pause', reason: 'x' },
    })
    expect(response.statusCode).toBe(404)
  })

  test('a busy store: 503 and when to try again, so that senders retry', async () => {
    const api = await testApi()
    api.service.failing = problem('STORE_BUSY', 'the database is locked')
    const response = await post(api, { command: 'pause', reason: 'x' })
    expect(response.statusCode).toBe(503)
    expect(response.headers['retry-after']).toBe('1')
    expect(response.json().code).toBe('STORE_BUSY')
  })

  test('a fault: 500 without its text, which is in the log under the request id', async () => {
    const api = await testApi()
    api.service.failing = new Error('canary-internal /var/lib/x')
    const response = await post(api, { command: 'pause', reason: 'x' })
    expect(response.statusCode).toBe(500)
    expect(response.json().code).toBe('API_INTERNAL')
    expect(response.body).not.toContain('canary-internal')
    const line = api.logged.find((text) => text.includes('canary-internal'))
    expect(line).toContain(response.json().requestId)
  })

  test.each([
    ['not JSON', { headers: { 'content-type': 'application/json' }, payload: '{"command":' }],
    ['another type', { headers: { 'content-type': 'text/xml' }, payload: '<x/>' }],
    ['too large', { headers: { 'content-type': 'application/json' }, payload: `"${'x'.repeat(70_000)}"` }],
    ['nothing', {}],
  ])(
    'a body that is %s is a bad request',
    async (_name, { headers, payload }: { headers?: object; payload?: string }) => {
      const { app } = await testApi()
      const sent = { method: 'POST', url: COMMAND_URL, headers: { ...operator, ...headers } } as const
      const response = await app.inject(payload === undefined ? sent : { ...sent, payload })
      expect(response.statusCode).toBe(400)
      expect(response.json().code).toBe('API_BAD_REQUEST')
    },
  )

  test('whatever is sent, nothing breaks', async () => {
    const api = await testApi()
    const almost = fc.record(
      {
        command: fc.oneof(fc.constantFrom(...COMMANDS), fc.anything()),
        reason: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
        force: fc.oneof(fc.boolean(), fc.anything()),
      },
      { requiredKeys: [] },
    )
    const body = fc.oneof(
      fc.json(),
      almost.map((value) => JSON.stringify(value) ?? ''),
      fc.string(),
    )
    await fc.assert(
      fc.asyncProperty(body, fc.string(), fc.webPath(), async (payload, key, path) => {
        const headers = { ...operator, 'content-type': 'application/json' }
        const posted = await api.app.inject({
          method: 'POST',
          url: COMMAND_URL,
          headers: { ...headers, 'idempotency-key': encodeURIComponent(key) },
          payload,
        })
        expect([202, 400]).toContain(posted.statusCode)
        const read = await api.app.inject({ url: `/api/v1/workloads/${path}`, headers })
        expect([200, 400, 404]).toContain(read.statusCode)
      }),
      { numRuns: 300 },
    )
  })
})

describe('OpenAPI', () => {
  test('lists every route, names its components, and says which take a token', async () => {
    const { app } = await testApi()
    const document = (await app.inject({ url: '/openapi.json', headers: viewer })).json()
    expect(document.openapi).toBe('3.1.0')
    expect(
      Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.keys(methods as object).map((method) => `${method} ${path}`),
      ),
    ).toEqual([
      'get /healthz',
      'get /readyz',
      'get /metrics',
      'get /api/v1/status',
      'get /api/v1/workloads',
      'get /api/v1/workloads/{name}',
      'get /api/v1/fleet',
      'get /api/v1/journal',
      'get /api/v1/journal/head',
      'get /api/v1/journal/verify',
      'get /api/v1/report',
      'get /api/v1/decommission',
      'post /api/v1/workloads/{name}/commands',
      'post /api/v1/commands',
      'post /api/v1/webhooks/alertmanager',
      'post /api/v1/reload',
      'post /api/v1/session',
      'get /api/v1/session',
      'delete /api/v1/session',
      'get /api/v1/stream',
    ])
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining([
        'Problem',
        'Status',
        'Workload',
        'WorkloadDetail',
        'Plan',
        'Verdict',
        'Hold',
        'JournalPage',
      ]),
    )
    expect(document.paths['/api/v1/status'].get.security).toEqual([{ bearer: [] }, { session: [] }])
    expect(document.paths['/healthz'].get.security).toBeUndefined()
  })

  test('every reference leads somewhere', async () => {
    const { app } = await testApi()
    const text = (await app.inject({ url: '/openapi.json', headers: viewer })).body
    const document = JSON.parse(text)
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1] ?? '')
    expect(references.length).toBeGreaterThan(5)
    for (const name of references) expect(document.components.schemas).toHaveProperty([name])
  })
})

describe('closing', () => {
  test('a request that is being answered is answered before the sockets are cut', async () => {
    const service = createFakeService()
    let answer = () => {}
    let asked = () => {}
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    const slow = new Promise<void>((resolve) => (answer = resolve))
    const metrics = {
      contentType: 'text/plain',
      text: async () => {
        asked()
        await slow
        return 'late but whole\n'
      },
    }
    const { app, url } = await listeningApi({ service, metrics })
    const response = fetch(`${url}/metrics`)
    await isAsked
    const closed = app.close()
    answer()
    expect(await (await response).text()).toBe('late but whole\n')
    await closed
  })
})
