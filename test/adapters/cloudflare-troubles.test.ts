import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { TrafficScope } from '../../src/ports/traffic.ts'
import { type LoadBalancer, refuse } from '../fakes/cloudflare.ts'
import { balancer, bench, CANARY, NEW, OLD, put } from '../support/cloudflare.ts'
import { answering, halfAnAnswer } from '../support/web-server.ts'

const APPLIED = { kind: 'applied' }

describe('when things break', () => {
  test.each<[string, number, number, string, string, string]>([
    ['a token without the right', 403, 10_000, 'Authentication error', 'TRAFFIC_FORBIDDEN', 'refused'],
    ['a token that is none', 403, 9109, 'Invalid access token', 'TRAFFIC_NO_CREDENTIALS', 'refused'],
    ['a token of a wrong form', 400, 6003, 'Invalid request headers', 'TRAFFIC_NO_CREDENTIALS', 'refused'],
    ['a token that has ended', 401, 1000, 'Invalid API Token', 'TRAFFIC_NO_CREDENTIALS', 'refused'],
    ['a zone that is none', 400, 7003, 'Could not route to /zones/x', 'TRAFFIC_NOT_FOUND', 'empty'],
    ['a refusal', 400, 1002, 'validation failed', 'TRAFFIC_REFUSED', 'refused'],
    ['a block for the rate', 429, 10_300, 'Overall calls have exceeded the rate limit', 'TRAFFIC_THROTTLED', 'refused'],
    ['trouble', 502, 0, 'Bad gateway', 'TRAFFIC_UNREACHABLE', 'unreachable'],
  ])('%s (%d, %d %s) is %s', async (_, status, code, message, want, why) => {
    const first = await bench()
    const refuseAll = (_request: unknown, response: Parameters<typeof refuse>[0]) => {
      refuse(response, status, code, `${message} ${CANARY}`)
      return true
    }
    first.api.instead = refuseAll
    const reading = await first.read()
    expect(reading).toMatchObject({ kind: 'missing', why, detail: expect.stringContaining(String(code)) })
    expect(JSON.stringify(reading)).not.toContain(CANARY)
    const second = await bench()
    second.api.instead = refuseAll
    expect(await second.write(10)).toMatchObject({ kind: 'failed', problem: { code: want } })
    // Once: nothing is tried again behind the engine's back.
    expect(second.calls()).toHaveLength(1)
  })

  test('a throttled write empties the quota', async () => {
    const { scope, write, api } = await bench()
    const exhaust = vi.spyOn(quotaOf(scope), 'exhaust')
    api.instead = (request, response) => {
      if (request.method !== 'PATCH') return false
      refuse(response, 429, 10_300, 'slow down')
      return true
    }
    expect(await write(10)).toMatchObject({ problem: { code: 'TRAFFIC_THROTTLED' } })
    expect(exhaust).toHaveBeenCalledOnce()
  })

  const json = { 'content-type': 'application/json' }
  test.each([
    ['half an answer', halfAnAnswer, 'TRAFFIC_UNREACHABLE'],
    ['a page', answering(200, '<html>', { 'content-type': 'text/html' }), 'TRAFFIC_BAD_ANSWER'],
    ['broken JSON', answering(200, '{"result":', json), 'TRAFFIC_BAD_ANSWER'],
    ['another result', answering(200, '{"success":true,"result":{"id":"x"}}', json), 'TRAFFIC_BAD_ANSWER'],
    ['no result', answering(200, '{"success":true,"result":null}', json), 'TRAFFIC_BAD_ANSWER'],
    ['a redirect', answering(302, '', { location: 'http://127.0.0.1:1/' }), 'TRAFFIC_BAD_ANSWER'],
  ])('after %s to a write that was made all the same, the truth is read and reverted', async (_, answer, code) => {
    const { api, read, write } = await bench()
    api.instead = (request, response) => {
      if (request.method !== 'PATCH') return false
      put(api, balancer('a', 10))
      answer(response, request)
      return true
    }
    expect(await write(10)).toMatchObject({ kind: 'failed', problem: { code } })
    api.instead = null
    expect(await write(0, { urgency: 'revert' })).toEqual(APPLIED)
    expect(await read()).toMatchObject({ weightPercent: 0 })
  })

  test('the environment does not speak for the config', async () => {
    vi.stubEnv('CLOUDFLARE_API_KEY', 'somebody-else')
    vi.stubEnv('CLOUDFLARE_EMAIL', 'somebody@example.com')
    vi.stubEnv('CLOUDFLARE_BASE_URL', 'http://127.0.0.1:1')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { api, read } = await bench()
    expect(await read()).toMatchObject({ weightPercent: 0 })
    expect(Object.keys(api.requests[0]?.headers ?? {}).filter((name) => name.startsWith('x-auth'))).toEqual([])
  })
})

describe('live checks', () => {
  test('all is well: nothing is found, and nothing was written', async () => {
    const { inspect, patches } = await bench()
    expect(await inspect()).toEqual([])
    expect(patches()).toEqual([])
  })

  test.each<[string, Partial<LoadBalancer>, string, string]>([
    ['a steering policy without weights', { steering_policy: 'geo' }, 'fail', 'TRAFFIC_WRONG_TYPE'],
    ['a pool that is not in it', { default_pools: [NEW] }, 'fail', 'TRAFFIC_NOT_FOUND'],
    ['one that is disabled', { enabled: false }, 'fail', 'TRAFFIC_REFUSED'],
    ['session affinity', { session_affinity: 'cookie' }, 'warn', 'TRAFFIC_STICKY'],
    ['pools by region', { region_pools: { WEU: [OLD] } }, 'warn', 'TRAFFIC_WRONG_TYPE'],
    ['rules', { rules: [{ name: 'vip', condition: 'true' }] }, 'warn', 'TRAFFIC_WRONG_TYPE'],
  ])('%s is found', async (_, parts, level, code) => {
    const { inspect } = await bench(parts)
    expect(await inspect()).toMatchObject([{ targetId: 'a', level, problem: { code } }])
  })

  test('rules that are disabled, and empty maps, are nothing to tell', async () => {
    const { inspect } = await bench({ rules: [{ name: 'vip', disabled: true }], region_pools: {}, pool_sets: [] })
    expect(await inspect()).toEqual([])
  })
})

function quotaOf({ quota }: TrafficScope): NonNullable<TrafficScope['quota']> {
  if (quota === null) throw new Error('this scope has no quota')
  return quota
}
