import { describe, expect, test } from 'vitest'
import { problem } from '../../src/core/problem.ts'
import { type Check, diagnose } from '../../src/diagnose.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import type { TrafficScope } from '../../src/ports/traffic.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createFakeLog, settled } from '../../src/simulate/runtime.ts'
import { createFakeSource } from '../fakes/source.ts'
import { createFakeTraffic } from '../fakes/traffic.ts'

/** A place with so many workloads, each in a scope of its own, whose adapter does what the test says. */
function place(count: number, changes: (scope: string) => Partial<TrafficScope> = () => ({})) {
  const source = createFakeSource()
  const names = Array.from({ length: count }, (_, index) => `w${index + 1}`)
  for (const name of names) source.pod('blue', name)
  const fake = createFakeTraffic()
  const open: string[] = []
  const closed: string[] = []
  const kind: typeof fake.kind = {
    ...fake.kind,
    open: (targets, account, context) => {
      const scope = targets[0]?.settings.scope ?? ''
      open.push(scope)
      return {
        ...fake.kind.open(targets, account, context),
        write: async () => {
          throw new Error('a look must not write')
        },
        close: async () => void closed.push(scope),
        ...changes(scope),
      }
    },
  }
  const kinds = { traffic: [kind], sources: [source.kind], channels: [] }
  const text = `apiVersion: headgate/v1
migration: m
clusters: { old: blue, new: green }
sources: { fake: {} }
slis: { availability: { objective: 99%, total: http_requests_total, bad: 'http_requests_total{code=~"5.."}' } }
workloads: [${names.map((name) => `{ name: ${name}, traffic: { fake: { scope: s-${name}, place: p } } }`).join(', ')}]
`
  const parsed = parseConfig(text, 'm.yaml', kinds, {})
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const clock = createFakeClock(0)
  const log = createFakeLog()
  const stopping = new AbortController()
  const look = () => diagnose(parsed.config, { env: {}, clock, log, signal: stopping.signal, kinds })
  return { clock, log, source, open, closed, stopping, look }
}

const levels = (checks: readonly Check[]) => checks.map(({ about, level }) => `${about} ${level}`)
const codes = (checks: readonly Check[]) => checks.flatMap(({ problems }) => problems.map(({ code }) => code))

describe('a look', () => {
  test('never writes, and closes what it opened', async () => {
    const { look, open, closed } = place(3)
    expect(levels(await look())).toEqual(['w1/fake/p ok', 'w2/fake/p ok', 'w3/fake/p ok', 'fake/availability ok'])
    expect(closed).toEqual(open)
  })

  test('tells apart what stops a rollout from what somebody should look at', async () => {
    const unequal = problem('TRAFFIC_UNEQUAL', 'TTLs of 60 s and 300 s').toJSON()
    const other = problem('TRAFFIC_OTHER_WRITER', 'external-dns owns it').toJSON()
    const { look } = place(2, (scope) => ({
      inspect: async (targetIds) =>
        targetIds.flatMap((targetId) => [
          { targetId, level: 'warn', problem: other },
          ...(scope === 's-w2' ? [{ targetId, level: 'fail', problem: unequal } as const] : []),
        ]),
    }))
    const checks = await look()
    expect(levels(checks).slice(0, 2)).toEqual(['w1/fake/p warn', 'w2/fake/p fail'])
    expect(codes(checks)).toEqual(['TRAFFIC_OTHER_WRITER', 'TRAFFIC_OTHER_WRITER', 'TRAFFIC_UNEQUAL'])
  })

  test('keeps nothing silent that an adapter found about something else', async () => {
    const finding = {
      targetId: 'elsewhere',
      level: 'warn',
      problem: problem('TRAFFIC_REFUSED', 'odd').toJSON(),
    } as const
    const { look } = place(1, () => ({ inspect: async () => [finding] }))
    expect(levels(await look())).toContain('elsewhere warn')
  })

  test('that hangs in one scope ends after half a minute, and costs the others nothing', async () => {
    const { look, clock, closed } = place(2, (scope) =>
      scope === 's-w1' ? { inspect: () => new Promise(() => {}) } : {},
    )
    const looking = look()
    await clock.advance(30_000)
    const checks = await looking
    expect(levels(checks).slice(0, 2)).toEqual(['w1/fake/p fail', 'w2/fake/p ok'])
    expect(codes(checks)).toEqual(['TRAFFIC_TIMEOUT'])
    expect(closed).toContain('s-w1')
  })

  test('has only so many scopes under way at once, so that none is late for want of the quota', async () => {
    let underWay = 0
    let most = 0
    const { look } = place(40, () => ({
      inspect: async () => {
        underWay += 1
        most = Math.max(most, underWay)
        await settled()
        underWay -= 1
        return []
      },
    }))
    const checks = await look()
    expect(levels(checks).filter((one) => one.endsWith('ok'))).toHaveLength(41)
    expect([most, underWay]).toEqual([16, 0])
  })

  test.each<[string, Partial<TrafficScope>]>([
    ['rejects', { inspect: () => Promise.reject(new Error('a bug')) }],
    ['throws when it closes', { close: () => Promise.reject(new Error('a bug')) }],
  ])('of an adapter that %s fails, and is in the log', async (_, change) => {
    const { look, log } = place(2, (scope) => (scope === 's-w1' ? change : {}))
    const checks = await look()
    expect(levels(checks).slice(0, 2)).toEqual(['w1/fake/p fail', 'w2/fake/p ok'])
    expect(codes(checks)).toEqual(['TRAFFIC_BAD_ANSWER'])
    expect(log.lines).toMatchObject([{ level: 'error' }])
  })

  test('ends at once when it is interrupted', async () => {
    const { look, stopping } = place(1, () => ({ inspect: () => new Promise(() => {}) }))
    const looking = look()
    stopping.abort('SIGINT')
    await expect(looking).rejects.toBe('SIGINT')
  })
})

describe('an SLI', () => {
  test('whose source gives nothing fails, with the reason', async () => {
    const { look, source } = place(1)
    source.fault = { kind: 'missing', why: 'refused', detail: 'no such metric' }
    const check = (await look()).at(-1)
    expect(check).toMatchObject({ level: 'fail', problems: [{ code: 'SOURCE_NO_ANSWER' }] })
    expect(check?.problems[0]?.cause).toBe('refused: no such metric')
  })

  test('whose data comes late is asked about a past that is closed', async () => {
    const { look, source, clock } = place(1)
    const ends: number[] = []
    const poll = source.source.poll.bind(source.source)
    Object.assign(source.source, { ingestDelaySeconds: 60 })
    source.source.poll = (slis, tick, signal) => {
      ends.push(tick.atMs)
      return poll(slis, tick, signal)
    }
    await look()
    expect(ends).toEqual([clock.nowMs() - 60_000])
  })

  test('without series of OLD names the first few workloads', async () => {
    const { look, source } = place(5)
    source.source.poll = async (slis, tick) =>
      new Map(slis.map((sli) => [sli, { kind: 'vector', ...tick, groups: new Map() }]))
    const check = (await look()).at(-1)
    expect(check).toMatchObject({ level: 'warn', problems: [{ code: 'SOURCE_NO_SERIES' }] })
    expect(check?.problems[0]?.cause).toBe('no series with cluster="blue" and service = w1, w2, w3 and 2 more')
  })
})
