import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { CANARY } from '../fakes/kubernetes/cluster.ts'
import type { Json } from '../fakes/kubernetes/json-patch.ts'
import { reply } from '../fakes/kubernetes/server.ts'
import { tooManyRequests } from '../fakes/kubernetes/status.ts'
import type { ApiObject } from '../fakes/kubernetes/store.ts'
import { backendsOf, oneRule, type RouteUser, ref, useRoute } from '../support/gateway-api.ts'

let user: RouteUser

type Condition = {
  readonly status?: string
  readonly generation?: number
  readonly reason?: string
  readonly message?: string
}

/** What a controller says that is not of one mind about a route. */
function says(conditions: Readonly<Record<string, Condition>>): (object: ApiObject) => Json {
  return ({ metadata: { generation } }) => ({
    parents: [
      {
        parentRef: { name: 'public', sectionName: 'https' },
        controllerName: 'example.com/gateway',
        conditions: Object.entries(conditions).map(([type, { status = 'True', generation: of, ...rest }]) => ({
          type,
          status,
          observedGeneration: of ?? generation ?? null,
          ...rest,
        })),
      },
    ],
  })
}

describe('what the Gateways say', () => {
  test.each<[string, (object: ApiObject) => Json, string]>([
    ['nothing', () => ({}), 'no Gateway has taken the route yet'],
    [
      'nothing of this generation',
      says({ Accepted: { generation: 0 }, ResolvedRefs: { generation: 0 } }),
      'Gateway public/https has not said Accepted and ResolvedRefs of generation 1',
    ],
    ['half of it', says({ Accepted: {} }), 'Gateway public/https has not said ResolvedRefs of generation 1'],
    [
      'that it does not know',
      says({ Accepted: { status: 'Unknown' }, ResolvedRefs: {} }),
      'Gateway public/https has not said Accepted of generation 1',
    ],
    [
      'no, but of an older generation',
      says({ Accepted: { status: 'False', generation: 0 }, ResolvedRefs: {} }),
      'Gateway public/https has not said Accepted of generation 1',
    ],
  ])('%s: the weight is pending', async (_, controller, pending) => {
    user = await useRoute(oneRule(ref('blue', 1), ref('green', 1)))
    user.cluster.reconcileBy(controller)
    expect(await user.read()).toMatchObject({ kind: 'weight', weightPercent: 50, pending })
  })

  test('a write is pending until the Gateway has taken its generation', async () => {
    user = await useRoute(oneRule(ref('blue', 1), ref('green', 1)))
    expect(await user.read()).not.toHaveProperty('pending')
    user.cluster.server.controller = null
    await user.write(75)
    expect(await user.read()).toMatchObject({ weightPercent: 75, pending: expect.stringContaining('of generation 2') })
    user.cluster.server.controller = says({ Accepted: {}, ResolvedRefs: {} })
    user.cluster.change('httproutes', 'checkout', () => {})
    expect(await user.read()).not.toHaveProperty('pending')
  })

  test.each([
    ['Accepted', 'NotAllowedByListeners', 'wrong host'],
    ['ResolvedRefs', 'BackendNotFound', 'no Service green'],
  ])('%s=False: the weight is not in force', async (type, reason, message) => {
    user = await useRoute(oneRule(ref('blue', 1), ref('green', 1)))
    user.cluster.reconcileBy(says({ Accepted: {}, ResolvedRefs: {}, [type]: { status: 'False', reason, message } }))
    const words = `Gateway public/https says ${type}=False: ${reason}: ${message}`
    expect(await user.read()).toMatchObject({ kind: 'missing', why: 'refused', detail: words })
    expect(await user.inspect()).toMatchObject([{ level: 'fail', problem: { code: 'TRAFFIC_REFUSED', cause: words } }])
  })

  test('a revert from a NEW whose Service is gone is confirmed, and doctor still tells', async () => {
    user = await useRoute(oneRule(ref('blue', 1), ref('green', 1)))
    user.cluster.reconcileBy(says({ Accepted: {}, ResolvedRefs: { status: 'False', reason: 'BackendNotFound' } }))
    expect(await user.write(0, 'revert')).toEqual({ kind: 'applied' })
    expect(await user.read()).toMatchObject({ kind: 'weight', weightPercent: 0 })
    expect(await user.inspect()).toMatchObject([{ problem: { code: 'TRAFFIC_REFUSED' } }])
  })
})

describe('troubles', () => {
  test('a change between read and write is a conflict, and nothing is written', async () => {
    user = await useRoute(oneRule(ref('blue', 1), ref('green', 0)))
    user.cluster.server.intercept = ({ method }) => {
      if (method === 'PATCH')
        user.cluster.change('httproutes', 'checkout', (object) => {
          object.metadata.labels = { changed: 'meanwhile' }
        })
      return false
    }
    expect(await user.write(10)).toMatchObject({ kind: 'failed', problem: { code: 'TRAFFIC_CONFLICT' } })
    user.cluster.server.intercept = null
    expect(await user.read()).toMatchObject({ weightPercent: 0 })
    expect(await user.write(10)).toEqual({ kind: 'applied' })
  })

  test('throttled, then not: the end state is right', async () => {
    user = await useRoute(oneRule(ref('blue', 1), ref('green', 1)))
    user.cluster.server.intercept = ({ method }, response) => {
      if (method !== 'PATCH') return false
      reply(response, 429, tooManyRequests().toStatus())
      return true
    }
    expect(await user.write(0, 'revert')).toMatchObject({ kind: 'failed', problem: { code: 'TRAFFIC_THROTTLED' } })
    expect(await user.read()).toMatchObject({ weightPercent: 50 })
    user.cluster.server.intercept = null
    expect(await user.write(0, 'revert')).toEqual({ kind: 'applied' })
    expect(await user.read()).toMatchObject({ weightPercent: 0 })
  })

  test.each<[string, (response: ServerResponse) => void, string]>([
    ['a reset', (response) => response.destroy(), 'TRAFFIC_UNREACHABLE'],
    ['garbage with 200', (response) => response.end('<html>'), 'TRAFFIC_BAD_ANSWER'],
    ['no HTTP', (response) => response.socket?.end('SSH-2.0-hello\r\n\r\n'), 'TRAFFIC_BAD_ANSWER'],
    [
      'a redirect',
      (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      'TRAFFIC_BAD_ANSWER',
    ],
    ['a fault', (response) => response.writeHead(500).end('oops'), 'TRAFFIC_REFUSED'],
    ['a proxy without a server', (response) => response.writeHead(503).end(), 'TRAFFIC_UNREACHABLE'],
    ['another object', (response) => reply(response, 200, { kind: 'Pod', metadata: {} }), 'TRAFFIC_BAD_ANSWER'],
    [
      'the token in its words',
      (response) => reply(response, 418, { kind: 'Status', message: `you are ${CANARY}` }),
      'TRAFFIC_REFUSED',
    ],
  ])('%s: nothing is written, nothing is known', async (_, answer, code) => {
    user = await useRoute(oneRule(ref('blue', 1), ref('green', 0)))
    user.cluster.server.intercept = (_call, response) => {
      answer(response)
      return true
    }
    expect(await user.write(10)).toMatchObject({ kind: 'failed', problem: { code } })
    expect(await user.read()).toMatchObject({ kind: 'missing' })
    expect(JSON.stringify([await user.write(10), await user.read(), await user.inspect()])).not.toContain(CANARY)
    expect(user.patches()).toBe(0)
  })

  test('an answer lost on its way: the write is there, and is not made twice', async () => {
    user = await useRoute(oneRule(ref('blue', 1), ref('green', 0)))
    user.cluster.server.intercept = ({ method }, response) => {
      if (method === 'PATCH') response.end = () => response.destroy()
      return false
    }
    expect(await user.write(10)).toMatchObject({ kind: 'failed', problem: { code: 'TRAFFIC_UNREACHABLE' } })
    user.cluster.server.intercept = null
    expect(await user.read()).toMatchObject({ weightPercent: 10 })
    expect(await user.write(10)).toEqual({ kind: 'applied' })
    expect(user.patches()).toBe(1)
  })

  test('a refusal by the server keeps its words', async () => {
    user = await useRoute(oneRule(ref('blue', 1), ref('green', 0)))
    user.cluster.change('httproutes', 'checkout', (object) => {
      for (const backend of backendsOf(object)) backend.note = 'kept'
    })
    user.cluster.server.forbiddenVerbs.add('patch')
    expect(await user.write(10)).toMatchObject({
      kind: 'failed',
      problem: { code: 'TRAFFIC_FORBIDDEN', hint: expect.stringContaining('httproutes.gateway.networking.k8s.io') },
    })
    expect(await user.inspect()).toMatchObject([{ level: 'fail', problem: { code: 'TRAFFIC_FORBIDDEN' } }])
    expect(await user.read()).toMatchObject({ weightPercent: 0 })
  })
})

test('doctor writes nothing', async () => {
  user = await useRoute(oneRule(ref('blue', 1), ref('green', 1)))
  const before = user.cluster.get('httproutes', 'checkout')
  expect(await user.inspect()).toEqual([])
  expect(user.cluster.get('httproutes', 'checkout')).toEqual(before)
})
