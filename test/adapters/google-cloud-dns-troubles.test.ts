import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Batches, type Move } from '../../src/traffic/google-cloud-dns/batch.ts'
import { type FakeRrset, refuse } from '../fakes/google-dns.ts'
import { type Bench, bench, CANARY, change, weighted } from '../support/google-dns.ts'
import { answering, halfAnAnswer } from '../support/web-server.ts'

describe('when things break', () => {
  test.each<[string, number, string, string, string, string]>([
    ['a wrong token', 401, 'authError', 'who are you', 'TRAFFIC_NO_CREDENTIALS', 'refused'],
    ['a missing right', 403, 'forbidden', 'Forbidden', 'TRAFFIC_FORBIDDEN', 'refused'],
    ['too many calls', 403, 'rateLimitExceeded', 'Rate Limit', 'TRAFFIC_THROTTLED', 'refused'],
    ['too many calls', 429, 'rateLimitExceeded', 'Resource has been exhausted', 'TRAFFIC_THROTTLED', 'refused'],
    ['no such zone', 404, 'notFound', "The 'parameters.managedZone' resource", 'TRAFFIC_NOT_FOUND', 'empty'],
    ['trouble at Google', 503, 'backendError', 'Backend Error', 'TRAFFIC_UNREACHABLE', 'unreachable'],
  ])('%s (%d %s %s) is %s', async (_, status, reason, message, code, why) => {
    const refuseAll = (one: Bench) => {
      one.dns.instead = (_request, response) => {
        refuse(response, status, reason, `${message}, said ${CANARY}`)
        return true
      }
      return one
    }
    const reading = await refuseAll(await bench([weighted('a', 0)])).read()
    expect(reading).toMatchObject({ kind: 'missing', why, detail: expect.stringContaining(message) })
    expect(JSON.stringify(reading)).not.toContain(CANARY)
    const { write, posts } = refuseAll(await bench([weighted('a', 0)]))
    expect(await write(change('a', 10))).toMatchObject({ a: { kind: 'failed', problem: { code } } })
    expect(posts()).toEqual([])
  })

  test('throttled writes fail whole, are not taken apart, and empty the quota', async () => {
    const { scope, write, dns, posts } = await bench([weighted('a', 25), weighted('b', 25)])
    const exhaust = vi.spyOn(nonNull(scope.quota), 'exhaust')
    dns.instead = (request, response) => {
      if (request.method !== 'POST') return false
      refuse(response, 429, 'rateLimitExceeded', 'slow down')
      return true
    }
    const reverts = [change('a', 0, { urgency: 'revert' }), change('b', 0, { urgency: 'revert' })]
    const throttled = { kind: 'failed', problem: { code: 'TRAFFIC_THROTTLED' } }
    expect(await write(...reverts)).toMatchObject({ a: throttled, b: throttled })
    expect(posts()).toHaveLength(1)
    expect(exhaust).toHaveBeenCalledOnce()
  })

  test.each([
    ['half an answer', halfAnAnswer, 'TRAFFIC_UNREACHABLE'],
    ['no JSON', answering(200, '<html>'), 'TRAFFIC_BAD_ANSWER'],
    ['JSON of another kind', answering(200, '{"kind":"dns#change"}'), 'TRAFFIC_BAD_ANSWER'],
    ['a redirect', answering(302, '', { location: 'http://127.0.0.1:1/' }), 'TRAFFIC_BAD_ANSWER'],
  ])('after %s to a change that was made all the same, the truth is read', async (_, answer, code) => {
    const { write, read, dns } = await bench([weighted('a', 0)])
    dns.instead = (request, response) => {
      if (request.method !== 'POST') return false
      dns.put(weighted('a', 10))
      answer(response, request)
      return true
    }
    expect(await write(change('a', 10))).toMatchObject({ a: { kind: 'failed', problem: { code } } })
    dns.instead = null
    expect(await read()).toMatchObject({ weightPercent: 10 })
    expect(await write(change('a', 0, { urgency: 'revert' }))).toEqual({ a: { kind: 'applied' } })
    expect(await read()).toMatchObject({ weightPercent: 0 })
  })

  test('a change whose end cannot be learnt leaves the reading missing', async () => {
    const { write, read, dns } = await bench([weighted('a', 0)])
    await read()
    dns.isInstant = false
    await write(change('a', 10))
    dns.instead = (request, response) => {
      if (!request.url.includes('/changes/')) return false
      refuse(response, 500, 'backendError', 'oops')
      return true
    }
    expect(await read()).toMatchObject({ kind: 'missing', why: 'unreachable' })
  })
})

describe('many at once', () => {
  const ids = Array.from({ length: 1200 }, (_, index) => `w${index}`)

  test('1,200 reverts take two calls, and reading them takes a page for each 1,000', async () => {
    const { write, dns, posts } = await bench(
      ids.map((id) => weighted(id, 25)),
      ids,
    )
    dns.pageSize = 1000
    const reverts = ids.map((id) => change(id, 0, { urgency: 'revert' }))
    const first = await write(...reverts)
    const left = reverts.filter(({ targetId }) => JSON.stringify(first[targetId]).includes('deferred'))
    expect(left).toHaveLength(200)
    await write(...left)
    expect(posts().map(({ additions }) => additions.length)).toEqual([1000, 200])
    expect(dns.requests.filter(({ method }) => method === 'GET')).toHaveLength(2)
    expect([...dns.rrsets.values()].every((one) => one.routingPolicy?.wrr?.items[1]?.weight === undefined)).toBe(true)
  })

  test('reverts go first where not all fit', async () => {
    const { write } = await bench(
      ids.map((id) => weighted(id, 25)),
      ids,
    )
    const results = await write(
      ...ids.map((id, index) => change(id, index < 300 ? 50 : 0, { urgency: index < 300 ? 'forward' : 'revert' })),
    )
    const deferred = ids.filter((id) => JSON.stringify(results[id]).includes('deferred'))
    expect(deferred).toHaveLength(200)
    expect(deferred.every((id) => Number(id.slice(1)) < 300)).toBe(true)
  })

  test('whatever their sizes, a batch is never empty and never too large', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 40 }), (sizes) => {
        const moves = sizes.map((size, index): Move => {
          const rrset = { name: `w${index}.`, type: 'TXT', ttl: 60, rrdatas: ['x'.repeat(size)] }
          return { change: change(`w${index}`, 10), before: rrset, after: rrset }
        })
        const taken = new Batches().take(moves)
        const bytes = taken.reduce((sum, { before }) => sum + 2 * (before.rrdatas?.[0]?.length ?? 0), 0)
        expect(taken.length === 1 || (taken.length > 1 && bytes <= 100_000)).toBe(true)
      }),
    )
  })

  test.each([
    ['says which one', "Invalid value for 'entity.change.additions[INDEX]'"],
    ['does not say which one', 'Invalid Value'],
  ])('a change that Google refuses for one record, and %s, goes on without it', async (_, words) => {
    const few = ids.slice(0, 9)
    const { write, dns } = await bench(
      few.map((id) => weighted(id, 25)),
      few,
    )
    dns.instead = (request, response) => {
      const index = request.method === 'POST' ? JSON.parse(request.body).additions.findIndex(isOfW4) : -1
      if (index < 0) return false
      refuse(response, 400, 'invalid', words.replace('INDEX', String(index)))
      return true
    }
    let left = few.map((id) => change(id, 0, { urgency: 'revert' }))
    const results: Record<string, unknown> = {}
    for (let calls = 0; left.length > 0 && calls < 20; calls++) {
      Object.assign(results, await write(...left))
      left = left.filter(({ targetId }) => JSON.stringify(results[targetId]).includes('deferred'))
    }
    expect(results['w4']).toMatchObject({ kind: 'failed', problem: { code: 'TRAFFIC_REFUSED' } })
    for (const id of few.filter((one) => one !== 'w4')) expect(results[id]).toEqual({ kind: 'applied' })
    expect(dns.rrsets.get('w4.example.com. A')).toEqual(weighted('w4', 25))

    // The one to blame no longer stands in the others' way.
    dns.instead = (request, response) => {
      if (request.method !== 'POST' || !JSON.parse(request.body).additions.some(isOfW4)) return false
      refuse(response, 400, 'invalid', 'Invalid Value')
      return true
    }
    const next = await write(change('w4', 0), change('w5', 10), change('w6', 10))
    expect(next).toEqual({ w4: { kind: 'deferred' }, w5: { kind: 'applied' }, w6: { kind: 'applied' } })
  })
})

function nonNull<T>(value: T | null): T {
  if (value === null) throw new Error('there is none')
  return value
}

function isOfW4({ name }: FakeRrset): boolean {
  return name === 'w4.example.com.'
}
