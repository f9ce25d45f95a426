import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createAllowance } from '../../examples/demo/allowance.ts'
import { type Children, createChildren, scriptPath } from '../../examples/demo/children.ts'
import { startLoad } from '../../examples/demo/load.ts'
import { configText } from '../../examples/demo/world.ts'

describe('an allowance', () => {
  test('never lets more through than a burst of one second and its rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.integer({ min: 0, max: 400 })), (perSecond, gapsMs) => {
        let nowMs = 0
        const isWithin = createAllowance(perSecond, () => nowMs)
        let passed = 0
        for (const gapMs of gapsMs) {
          nowMs += gapMs
          if (isWithin()) passed += 1
        }
        expect(passed).toBeLessThanOrEqual(perSecond * (1 + nowMs / 1000))
      }),
    )
  })

  test.each([
    { perSecond: 7, arrivalsPerSecond: 5, failing: 'none' },
    { perSecond: 7, arrivalsPerSecond: 10, failing: 'about three in ten' },
    { perSecond: 15, arrivalsPerSecond: 10, failing: 'none' },
    { perSecond: 15, arrivalsPerSecond: 25, failing: 'about four in ten' },
    { perSecond: Number.POSITIVE_INFINITY, arrivalsPerSecond: 100, failing: 'none' },
  ])('of $perSecond a second refuses, at $arrivalsPerSecond a second, $failing', (given) => {
    const { perSecond, arrivalsPerSecond } = given
    let nowMs = 0
    const isWithin = createAllowance(perSecond, () => nowMs)
    const seconds = 100
    let refused = 0
    for (let sent = 0; sent < seconds * arrivalsPerSecond; sent += 1) {
      nowMs = (sent * 1000) / arrivalsPerSecond
      if (!isWithin()) refused += 1
    }
    const excess = Math.max(0, arrivalsPerSecond - perSecond) * seconds
    expect(Math.abs(refused - excess)).toBeLessThanOrEqual(excess === 0 ? 0 : perSecond + 1)
  })
})

test('the config gets every real port, and keeps none of its own', () => {
  const names = ['catalog', 'checkout', 'search'].flatMap((name) => [`${name}-blue`, `${name}-green`])
  const ports = Object.fromEntries([...names, 'router', 'api'].map((name, index) => [name, 50_001 + index]))
  const text = configText(ports)
  expect(text).not.toMatch(/\b47\d{3}\b/)
  for (const port of Object.values(ports)) expect(text).toContain(String(port))
})

describe('the router and its services', () => {
  let folder: string
  let children: Children

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headgate-demo-test-'))
    children = createChildren(folder)
  })

  afterEach(async () => {
    await children.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('the new cluster gets exactly its share, at any weight', async () => {
    const { trafficUrl, setWeight } = await startSmallWorld(children, [])
    for (const weightPercent of [0, 0.5, 5, 33.5, 50, 99.5, 100]) {
      await setWeight(weightPercent)
      const load = sendExactly(trafficUrl, 200)
      await load.done
      const tally = load.tallies.get('shop')
      expect(tally).toMatchObject({ requests: 200, failedRequests: 0 })
      expect(tally?.answeredBy.get('green')).toBe(weightPercent === 0 ? undefined : weightPercent * 2)
    }
  })

  test('a service with too few connections fails beyond them, and says so in its metrics', async () => {
    const { trafficUrl, setWeight, metrics } = await startSmallWorld(children, ['--connections-per-second', '7'])
    await setWeight(100)
    const load = sendExactly(trafficUrl, 100)
    await load.done
    const failed = load.tallies.get('shop')?.failedRequests ?? 0
    expect(failed).toBeGreaterThan(0)
    expect(await metrics()).toContain(`http_requests_total{code="503"} ${failed}`)
    expect(await metrics()).toContain('http_request_duration_seconds_count 100')
  })

  test('a backend that is gone is a failed request, not a dead router', async () => {
    const { trafficUrl, setWeight, green } = await startSmallWorld(children, [])
    await setWeight(50)
    green.kill('SIGKILL')
    const load = sendExactly(trafficUrl, 10)
    await load.done
    expect(load.tallies.get('shop')).toMatchObject({ requests: 10, failedRequests: 5 })
    expect((await request(`${trafficUrl.replace('shop', 'nothing')}`)).statusCode).toBe(404)
  })

  test('a child that ends by itself is told, with the end of its log', async () => {
    const child = children.start({ name: 'router', script: scriptPath('router'), args: [], env: { ROUTER_TOKEN: '' } })
    await expect(children.ready(child)).rejects.toThrow(/router ended by itself \(exit code 1\)\n[\s\S]*too_small/)
    expect(children.broken.aborted).toBe(true)
  })
})

async function startSmallWorld(children: Children, shortage: readonly string[]) {
  const start = async (cluster: string, args: readonly string[]) => {
    const script = scriptPath('service')
    const child = children.start({ name: cluster, script, args: ['--cluster', cluster, ...args], env: {} })
    const { port } = z.object({ port: z.int() }).parse(await children.ready(child))
    return { child, url: `http://127.0.0.1:${port}` }
  }
  const [blue, green] = await Promise.all([start('blue', []), start('green', shortage)])
  const backends = JSON.stringify({ shop: { old: blue.url, new: green.url } })
  const env = { ROUTER_TOKEN: 'test' }
  const router = children.start({ name: 'router', script: scriptPath('router'), args: [backends], env })
  const ports = z.object({ trafficPort: z.int(), controlPort: z.int() }).parse(await children.ready(router))
  return {
    green: green.child,
    trafficUrl: `http://127.0.0.1:${ports.trafficPort}/shop/`,
    metrics: async () => (await request(`${green.url}/metrics`)).body.text(),
    async setWeight(weightPercent: number) {
      const { statusCode, body } = await request(`http://127.0.0.1:${ports.controlPort}/v1/splits`, {
        method: 'PATCH',
        headers: { authorization: 'Bearer test' },
        body: JSON.stringify({ splits: { shop: { weightPercent } } }),
      })
      await body.dump()
      expect(statusCode).toBe(200)
    },
  }
}

function sendExactly(url: string, maxRequests: number) {
  const { signal } = new AbortController()
  return startLoad({
    urls: new Map([['shop', url]]),
    requestsPerSecond: 500,
    slowerThanMs: 30_000,
    maxRequests,
    signal,
  })
}
