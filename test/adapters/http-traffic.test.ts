import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TrafficScope } from '../../src/ports/traffic.ts'
import { http } from '../../src/traffic/http/kind.ts'
import { TARGET_IDS, trafficConformance } from '../conformance/traffic.ts'
import { type HttpProvider, reply, startHttpProvider } from '../fakes/http-provider.ts'
import { adapterContext, TRACED } from '../support/adapter-context.ts'

const CANARY = 'canary-4f1c9'

function open(url: string, parts: object = {}): TrafficScope {
  const settings = { url, timeout: '60s', token: '${env:ROUTER_TOKEN}', ...parts }
  const targets = TARGET_IDS.map((id) => ({ id, settings: http.settings.parse({ split: id, ...settings }) }))
  return http.open(targets, null, adapterContext({ ROUTER_TOKEN: CANARY }))
}

function anyLongWhile(): AbortSignal {
  return AbortSignal.timeout(120_000)
}

trafficConformance('http', {
  canary: CANARY,
  inexpressiblePercents: [],
  async createPlace() {
    const provider = await startHttpProvider({ a: 0, b: 0, c: 0 }, CANARY)
    return {
      open: () => open(provider.url),
      async writeForeign(targetId, weightPercent) {
        provider.splits.set(targetId, weightPercent)
      },
      hang: async () => provider.hang(),
      stop: provider.stop,
      remove: provider.stop,
    }
  },
})

describe('the http protocol', () => {
  let provider: HttpProvider
  let scope: TrafficScope
  beforeEach(async () => {
    provider = await startHttpProvider({ a: 0, b: 0 }, CANARY)
    scope = open(provider.url)
  })
  afterEach(async () => {
    await scope.close()
    await provider.stop()
  })

  const readA = async (from = scope) => (await from.read(['a'], anyLongWhile())).get('a')
  const writeA = async (from = scope) =>
    (
      await from.write([{ targetId: 'a', weightPercent: 10, ttlSeconds: null, urgency: 'forward' }], anyLongWhile())
    ).get('a')

  test('a read is one GET for all targets, with the token', async () => {
    await scope.read(['a', 'b'], anyLongWhile())
    expect(provider.requests).toMatchObject([
      { method: 'GET', url: '/v1/splits', headers: { authorization: `Bearer ${CANARY}` } },
    ])
  })

  test('reads and writes name the span that they are a part of', async () => {
    const traced = http.open(
      [{ id: 'a', settings: http.settings.parse({ split: 'a', url: provider.url, token: '${env:ROUTER_TOKEN}' }) }],
      null,
      { ...adapterContext({ ROUTER_TOKEN: CANARY }), tracer: TRACED },
    )
    await readA(traced)
    await writeA(traced)
    await traced.close()
    expect(provider.requests).toMatchObject([{ headers: TRACED.headers() }, { headers: TRACED.headers() }])
  })

  test('a write is one PATCH for reverts, then one for forward steps', async () => {
    await scope.write(
      [
        { targetId: 'a', weightPercent: 25, ttlSeconds: null, urgency: 'forward' },
        { targetId: 'b', weightPercent: 0, ttlSeconds: null, urgency: 'revert' },
      ],
      anyLongWhile(),
    )
    const seen = provider.requests.map(({ method, url, headers, body }) => [
      `${method} ${url} ${headers['headgate-urgency']} ${headers['content-type']}`,
      JSON.parse(body),
    ])
    expect(seen).toEqual([
      ['PATCH /v1/splits revert application/json', { splits: { b: { weightPercent: 0 } } }],
      ['PATCH /v1/splits forward application/json', { splits: { a: { weightPercent: 25 } } }],
    ])
  })

  test('a path before /v1 is kept, a slash at the end is not doubled', async () => {
    const nested = open(`${provider.url}/routers/eu/`)
    await readA(nested)
    expect(provider.requests[0]?.url).toBe('/routers/eu/v1/splits')
    await nested.close()
  })

  test.each<[string, number, unknown, string, string]>([
    ['a wrong token', 401, { code: 'unauthenticated', message: 'who are you' }, 'TRAFFIC_REFUSED', 'refused'],
    ['a weight that the provider refuses', 422, { code: 'weight', message: 'odd' }, 'TRAFFIC_REFUSED', 'refused'],
    ['a path that is not there', 404, { code: 'not-found', message: 'nothing' }, 'TRAFFIC_NOT_FOUND', 'empty'],
    ['a fault of the provider', 500, 'oops', 'TRAFFIC_REFUSED', 'refused'],
    ['a gateway without the provider', 502, '<html>', 'TRAFFIC_UNREACHABLE', 'unreachable'],
    ['another API', 200, { data: [] }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['a list of splits', 200, { splits: [{ a: 1 }] }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['a split without a weight', 200, { splits: { a: {} } }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['a weight in words', 200, { splits: { a: { weightPercent: '10' } } }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['a weight that is null', 200, { splits: { a: { weightPercent: null } } }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['a weight above 100', 200, { splits: { a: { weightPercent: 100.1 } } }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['a weight below 0', 200, { splits: { a: { weightPercent: -0.1 } } }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['a weight between two steps', 200, { splits: { a: { weightPercent: 0.04 } } }, 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['no split of ours', 200, { splits: { z: { weightPercent: 1 } } }, 'TRAFFIC_NOT_FOUND', 'empty'],
  ])('%s (%d %j) is %s', async (_, status, body, code, why) => {
    provider.answerWith((response) => reply(response, status, body))
    expect(await readA()).toMatchObject({ kind: 'missing', why })
    expect(await writeA()).toMatchObject({ kind: 'failed', problem: { code } })
  })

  test('a name that every object has is no split', async () => {
    const odd = open(provider.url, { split: 'constructor' })
    expect(await readA(odd)).toMatchObject({ kind: 'missing', why: 'empty' })
    await odd.close()
  })

  test('a binary fraction next to a step is that step', async () => {
    provider.splits.set('a', 0.1 + 0.2)
    expect(await readA()).toEqual({ kind: 'weight', weightPercent: 0.3 })
  })

  test("a stranger's broken split hides none of ours", async () => {
    provider.splits.set('stranger', 'nonsense')
    expect(await readA()).toEqual({ kind: 'weight', weightPercent: 0 })
  })

  test('an answer that does not show the weight is no acknowledgement', async () => {
    provider.answerWith((response) => reply(response, 200, { splits: { a: { weightPercent: 5 } } }))
    expect(await writeA()).toMatchObject({
      problem: { code: 'TRAFFIC_UNVERIFIED', cause: 'split a was asked for 10 % and has 5 %' },
    })
  })

  test('text that is no JSON is a bad answer', async () => {
    provider.answerWith((response) => response.end('{"splits": {"a": {"weightPercent": NaN}}}'))
    expect(await readA()).toMatchObject({ why: 'bad-answer' })
  })

  test('an answer without end is cut', async () => {
    provider.answerWith((response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    })
    expect(await readA()).toMatchObject({ why: 'bad-answer', detail: expect.stringContaining('4194304') })
  })

  test('a redirect is not followed, so the token stays here', async () => {
    const other = await startHttpProvider({ a: 50 }, null)
    provider.answerWith((response) => response.writeHead(307, { location: `${other.url}/v1/splits` }).end())
    expect(await readA()).toMatchObject({ why: 'bad-answer' })
    expect(other.requests).toEqual([])
    await other.stop()
  })

  test('a token that the provider repeats is struck out', async () => {
    provider.answerWith((response, { headers }) =>
      reply(response, 403, { code: 'no', message: `${'.'.repeat(190)}${headers.authorization} is not good` }),
    )
    expect(JSON.stringify([await readA(), await writeA()])).not.toMatch(/canary/)
  })

  test('a token that cannot be found fails the call, and names its reference only', async () => {
    const poor = open(provider.url, { token: '${env:NOT_SET}' })
    expect(await writeA(poor)).toMatchObject({
      problem: { code: 'CONFIG_SECRET_UNRESOLVED', cause: '${env:NOT_SET} is not set' },
    })
    expect(await readA(poor)).toMatchObject({ kind: 'missing', why: 'refused' })
    expect(provider.requests).toEqual([])
    await poor.close()
  })

  test('its own timeout ends a call whose signal does not', async () => {
    provider.hang()
    const hasty = open(provider.url, { timeout: '1s' })
    expect(await readA(hasty)).toMatchObject({ why: 'timeout' })
    await hasty.close()
  })
})

describe('the settings of http', () => {
  test.each([
    ['a plain one', { url: 'https://router.internal' }, true],
    ['a literal token', { token: 'hunter2' }, false],
    ['no URL', { url: 'router.internal' }, false],
    ['a URL with credentials', { url: 'https://me:secret@router.internal' }, false],
    ['a URL with a query', { url: 'https://router.internal/?a=1' }, false],
    ['an empty name', { split: '' }, false],
    ['a name with a line break', { split: 'a\nb' }, false],
  ])('%s', (_, part, isGood) => {
    const settings = { url: 'http://127.0.0.1:1', split: 'checkout', ...part }
    expect(http.settings.safeParse(settings).success).toBe(isGood)
  })

  test('defaults are filled in', () => {
    const { settleSeconds, timeoutSeconds } = http.settings.parse({ url: 'http://127.0.0.1:1/', split: 'checkout' })
    expect({ settleSeconds, timeoutSeconds }).toEqual({ settleSeconds: 0, timeoutSeconds: 5 })
  })
})
