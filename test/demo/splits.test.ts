import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSplitsServer, type Splits } from '../../examples/demo/splits.ts'
import type { AdapterContext } from '../../src/ports/kind.ts'
import { http } from '../../src/traffic/http/kind.ts'
import { TARGET_IDS, type TrafficPlace, trafficConformance } from '../conformance/traffic.ts'
import { adapterContext } from '../support/adapter-context.ts'

const TOKEN = 'canary-5d1c'

trafficConformance("the demo's router, through the http adapter,", {
  canary: TOKEN,
  inexpressiblePercents: [],
  createPlace,
})

async function createPlace(): Promise<TrafficPlace> {
  const splits = newSplits()
  const { server, url } = await serve(splits)
  const stop = async () => {
    server.closeAllConnections()
    if (server.listening) await once(server.close(), 'close')
  }
  const settingsOf = (split: string) => http.settings.parse({ url, split, token: '${env:ROUTER_TOKEN}' })
  return {
    open: () =>
      http.open(
        TARGET_IDS.map((id) => ({ id, settings: settingsOf(id) })),
        null,
        CONTEXT,
      ),
    async writeForeign(id, weightPercent) {
      splits.set(id, { weightPercent })
    },
    async hang() {
      server.removeAllListeners('request')
    },
    stop,
    remove: stop,
  }
}

describe('the protocol, as the router speaks it', () => {
  let server: Server
  let url: string
  let splits: Splits

  beforeEach(async () => {
    splits = newSplits()
    ;({ server, url } = await serve(splits))
  })

  afterEach(async () => {
    server.closeAllConnections()
    await once(server.close(), 'close')
  })

  const refusals: Record<
    string,
    { path?: string; method?: 'GET' | 'PATCH' | 'PUT'; token?: string; body?: string; status: number }
  > = {
    'no such path': { path: '/v1/other', status: 404 },
    'another method': { method: 'PUT', body: '{}', status: 405 },
    'a wrong token': { token: 'guess', status: 401 },
    'a body that is not JSON': { method: 'PATCH', body: '{', status: 400 },
    'a body of another shape': { method: 'PATCH', body: '{"weights": {}}', status: 400 },
    'a weight above 100': { method: 'PATCH', body: patch({ a: 100.1 }), status: 400 },
    'a weight below 0': { method: 'PATCH', body: patch({ a: -0.1 }), status: 400 },
    'a weight between two steps': { method: 'PATCH', body: patch({ a: 12.34 }), status: 400 },
    'one bad weight among good ones': { method: 'PATCH', body: patch({ a: 10, b: 101 }), status: 400 },
    'a body without end': { method: 'PATCH', body: patch({ ['x'.repeat(70_000)]: 1 }), status: 413 },
  }

  test.each(Object.entries(refusals))('%s is refused, and nothing changes', async (_, given) => {
    const { path = '/v1/splits', method = 'GET', token = TOKEN, body = null, status } = given
    const answer = await request(`${url}${path}`, { method, body, headers: { authorization: `Bearer ${token}` } })
    expect(answer.statusCode).toBe(status)
    expect(await answer.body.json()).toEqual({ code: expect.any(String), message: expect.stringMatching(/./) })
    expect([...splits.values()]).toEqual([{ weightPercent: 0 }, { weightPercent: 0 }, { weightPercent: 0 }])
  })
})

const CONTEXT: AdapterContext = { ...adapterContext(), secret: () => TOKEN }

function newSplits(): Splits {
  return new Map(['a', 'b', 'c'].map((name) => [name, { weightPercent: 0 }]))
}

async function serve(splits: Splits): Promise<{ server: Server; url: string }> {
  const server = createSplitsServer(splits, TOKEN).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

function patch(weightsPercent: Record<string, number>): string {
  return JSON.stringify({
    splits: Object.fromEntries(
      Object.entries(weightsPercent).map(([name, weightPercent]) => [name, { weightPercent }]),
    ),
  })
}
