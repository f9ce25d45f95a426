import { beforeEach, describe, expect, test } from 'vitest'
import type { Effect } from '../../src/core/effect.ts'
import type { WriteReport } from '../../src/core/observation.ts'
import { ScopeWriter } from '../../src/engine/act.ts'
import { createFakeLog, createFakeRandom } from '../../src/simulate/runtime.ts'
import { type FakeRoute53, fakePair, fakeRecord, type Route53Fault } from '../fakes/route53.ts'
import { APPLIED, type Route53User, reading, SHOP, startZone, useZone, ZONE } from '../support/route53.ts'
import { until } from '../support/until.ts'

const FAULTS: readonly Route53Fault[] = ['throttled', 'hang', 'reset', 'garbage', 'html', 'unavailable', 'lost-answer']
const TROUBLE_MS = 30_000

let fake: FakeRoute53
beforeEach(async () => {
  fake = await startZone()
})

/** The engine's own writer over a zone, as a process has it. */
function writerOf({ scope, clock }: Route53User, reports: WriteReport[]): ScopeWriter {
  return new ScopeWriter(ZONE, {
    write: (_, changes, signal) => scope.write(changes, signal),
    takeTurn: async (_, urgency, signal) => (await scope.quota?.take(urgency, signal)) ?? true,
    leaseToken: () => 1,
    wasReadSince: () => false,
    onWritten: (_, told) => void reports.push(...told),
    clock,
    random: createFakeRandom(),
    log: createFakeLog(),
  })
}

const REVERTS = ['cart', 'shop'].map(
  (targetId): Effect => ({
    kind: 'setWeight',
    targetId,
    weightPercent: 0,
    ttlSeconds: null,
    trial: null,
    urgency: 'revert',
  }),
)

describe('a revert in thirty seconds of trouble', () => {
  const targets = { shop: SHOP, cart: { record: 'cart.example.com' }, other: { record: 'other.example.com' } }
  const records = ['shop', 'cart', 'other'].flatMap((label) => fakePair(`${label}.example.com`, 75, 25))

  test.each([
    ...FAULTS.map((fault) => [fault, true] as const),
    ['throttled', false] as const,
    ['hang', false] as const,
  ])('%s, the records known before: %j, ends at OLD, and nothing else is written', async (fault, isKnown) => {
    const user = useZone(fake, records, targets, { quota: { callsPerSecond: 10, burst: 50 } })
    if (isKnown) await user.readAll()
    fake.calls.length = 0
    fake.fault = () => (user.clock.nowMs() < TROUBLE_MS ? fault : null)
    const reports: WriteReport[] = []
    const writer = writerOf(user, reports)
    writer.want(['shop', 'cart'], REVERTS)
    await until('the revert', async () => {
      await user.clock.advance(2_500)
      const last = new Map(reports.map(({ targetId, kind }) => [targetId, kind]))
      return user.clock.nowMs() > TROUBLE_MS && [...last.values()].every((kind) => kind === 'applied')
    })
    fake.fault = null
    expect(fake.records(ZONE).map(({ name, setIdentifier, weight }) => `${name} ${setIdentifier} ${weight}`)).toEqual([
      'cart.example.com. blue 75',
      'cart.example.com. green 0',
      'other.example.com. blue 75',
      'other.example.com. green 25',
      'shop.example.com. blue 75',
      'shop.example.com. green 0',
    ])
    expect(new Set(fake.written)).toEqual(
      new Set(['cart', 'shop'].map((label) => `UPSERT ${label}.example.com. A green 0 ttl=60`)),
    )
    // It is tried again and again, but nobody is hammered.
    expect(fake.calls.length).toBeLessThan(25)
    expect([await user.read('shop'), await user.read('cart')]).toEqual([
      reading({ weightPercent: 0 }),
      reading({ weightPercent: 0 }),
    ])
    await writer.stop()
  })
})

describe('trouble', () => {
  test.each<[Route53Fault, string, string]>([
    ['throttled', 'TRAFFIC_THROTTLED', 'refused'],
    ['reset', 'TRAFFIC_UNREACHABLE', 'unreachable'],
    ['garbage', 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['html', 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
    ['unavailable', 'TRAFFIC_UNREACHABLE', 'unreachable'],
  ])('%s is told as %s', async (fault, code, why) => {
    const { read, write } = useZone(fake, fakePair('shop.example.com', 75, 25))
    await read()
    fake.fault = () => fault
    expect(await read()).toMatchObject({ kind: 'missing', why })
    expect(await write({ shop: { weightPercent: 50 } })).toMatchObject({ shop: { kind: 'failed', problem: { code } } })
    expect(fake.written).toEqual([])
  })

  test('a GetChange that fails leaves the reading pending', async () => {
    const { read, write } = useZone(fake, fakePair('shop.example.com', 75, 25))
    await write({ shop: { weightPercent: 50 } })
    fake.forbidden.add('GetChange')
    expect(await read()).toEqual(reading({ weightPercent: 50, pending: expect.stringContaining('route53:GetChange') }))
  })

  test('a page that fails hides no record of the pages before', async () => {
    const labels = Array.from({ length: 400 }, (_, n) => `w${String(n).padStart(3, '0')}`)
    const targets = Object.fromEntries(['w000', 'w399'].map((label) => [label, { record: `${label}.example.com` }]))
    const user = useZone(
      fake,
      labels.flatMap((label) => fakePair(`${label}.example.com`, 75, 25)),
      targets,
    )
    fake.fault = () => (fake.calls.length > 1 ? 'unavailable' : null)
    expect(Object.fromEntries(await user.readAll())).toEqual({
      w000: reading({ weightPercent: 25 }),
      w399: { kind: 'missing', why: 'unreachable', detail: expect.any(String) },
    })
  })

  test('another change of the zone that is under way is no reason to slow down', async () => {
    fake = await startZone({ latencyMs: 50 })
    const user = useZone(fake, [...fakePair('shop.example.com', 75, 25), ...fakePair('cart.example.com', 75, 25)], {
      shop: SHOP,
      cart: { record: 'cart.example.com' },
    })
    await user.readAll()
    const [first, second] = await Promise.all([
      user.write({ shop: { urgency: 'revert' } }),
      user.write({ cart: { urgency: 'revert' } }),
    ])
    expect([first, second]).toContainEqual({ [first['shop']?.kind === 'applied' ? 'shop' : 'cart']: APPLIED })
    expect(JSON.stringify([first, second])).toContain('PriorRequestNotComplete')
    expect(await user.scope.quota?.take('revert', AbortSignal.abort())).toBe(false)
    expect(await user.scope.quota?.take('revert', AbortSignal.timeout(120_000))).toBe(true)
  })

  test('a throttled call empties the quota, so that all zones of the account wait', async () => {
    const user = useZone(fake, fakePair('shop.example.com', 75, 25))
    await user.read()
    fake.fault = () => 'throttled'
    await user.write({ shop: { urgency: 'revert' } })
    const turn = user.scope.quota?.take('revert', AbortSignal.timeout(120_000))
    await until('it waits for the quota', () => user.clock.sleepers() === 1)
    await user.clock.advance(1_000)
    expect(await turn).toBe(true)
  })
})

describe('a batch that is refused for one of its changes', () => {
  const labels = Array.from({ length: 16 }, (_, n) => `w${String(n).padStart(2, '0')}`)
  const targets = Object.fromEntries(labels.map((label) => [label, { record: `${label}.example.com` }]))
  const gone = 'abcdef11-2222-3333-4444-555555fedcba'
  const recordsWith = (bad: readonly string[]) =>
    labels.flatMap((label) =>
      fakePair(`${label}.example.com`, 75, 25, bad.includes(label) ? { healthCheck: gone } : {}),
    )

  /** As the engine does: what was deferred is asked again with the next call. */
  async function writeAll({ write }: Route53User, ids: readonly string[]) {
    const results: Awaited<ReturnType<Route53User['write']>> = {}
    let left = ids
    let calls = 0
    while (left.length > 0) {
      const answer = await write(Object.fromEntries(left.map((id) => [id, { urgency: 'revert' as const }])))
      calls += 1
      Object.assign(results, answer)
      left = left.filter((id) => answer[id]?.kind === 'deferred')
    }
    return { results, calls }
  }

  test.each<[readonly string[], number]>([
    [[], 1],
    [['w05'], 9],
    [['w00', 'w15'], 16],
  ])('applies all but %j in at most %d calls', async (bad, most) => {
    const user = useZone(fake, recordsWith(bad), targets)
    await user.readAll()
    const { results, calls } = await writeAll(user, labels)
    const failedIds = labels.filter((id) => results[id]?.kind === 'failed')
    expect(failedIds).toEqual(bad)
    for (const id of bad)
      expect(results[id]).toMatchObject({
        problem: { code: 'TRAFFIC_NOT_FOUND', cause: expect.stringContaining(gone) },
      })
    expect(labels.filter((id) => results[id]?.kind === 'applied')).toHaveLength(labels.length - bad.length)
    expect(calls).toBeLessThanOrEqual(most)
    expect(new Set(fake.written).size).toBe(labels.length - bad.length)
  })

  test('is not split up when it is throttled: one call, and all of it failed', async () => {
    const user = useZone(fake, recordsWith([]), targets)
    await user.readAll()
    fake.calls.length = 0
    fake.fault = () => 'throttled'
    const { results, calls } = await writeAll(user, labels)
    expect(calls).toBe(1)
    expect(fake.calls).toHaveLength(1)
    expect(Object.values(results).every(({ kind }) => kind === 'failed')).toBe(true)
  })

  test('lets a revert that comes meanwhile go first', async () => {
    const user = useZone(
      fake,
      [
        ...recordsWith(['w05']),
        fakeRecord('late.example.com', { setIdentifier: 'blue', weight: 75 }),
        fakeRecord('late.example.com', { setIdentifier: 'green', weight: 25 }),
      ],
      { ...targets, late: { record: 'late.example.com' } },
    )
    await user.readAll()
    const all = Object.fromEntries(labels.map((id) => [id, { urgency: 'revert' as const }]))
    await user.write(all)
    expect((await user.write({ ...all, late: { urgency: 'revert' } }))['late']).toEqual(APPLIED)
    expect(fake.written[0]).toBe('UPSERT late.example.com. A green 0 ttl=60')
  })
})
