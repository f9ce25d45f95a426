import { describe, expect, test } from 'vitest'
import { CHECK_IDS } from '../../src/core/check.ts'
import { missing } from '../../src/core/observation.ts'
import { READY } from '../fakes/cluster.ts'
import { CHECKOUT, checkedPlan } from './plan.ts'
import { checkerRig, START_MS } from './rig.ts'

const plan = checkedPlan()

/** Of the calls to a cluster, those that look at workloads. */
const looks = (calls: readonly string[]) => calls.filter((name) => name === 'workload').length

describe('before the start', () => {
  test('nothing was looked at before the first look', () => {
    expect(checkerRig().checker.readings(plan)).toEqual({})
  })

  test('every check of the plan has a reading, and what is not configured says so', async () => {
    const { look, checker } = checkerRig({ clustersOf: () => null })
    await look([plan])
    const readings = checker.readings(plan)
    expect(Object.keys(readings).sort()).toEqual([...CHECK_IDS].sort())
    expect(new Set(Object.values(readings).map(({ outcome }) => outcome))).toEqual(new Set(['skipped']))
    expect(readings['objects']?.sentence).toBe('access to the API servers is not configured (`kubernetes`)')
    expect(readings['certificate']?.sentence).toBe('no probe of NEW is over https')
  })

  test('a workload that names no object has nothing of Kubernetes to look at', async () => {
    const { look, checker, clusters } = checkerRig()
    const bare = checkedPlan({ objects: null })
    await look([bare])
    expect(checker.readings(bare)['parity']).toMatchObject({
      outcome: 'skipped',
      sentence: 'the workload names no object (`kubernetes` of the workload)',
    })
    expect(looks(clusters.old.calls)).toBe(0)
  })

  test('a check that the plan leaves out is not looked at', async () => {
    const { look, outcomes, clusters } = checkerRig()
    const only = checkedPlan({ checks: [{ id: 'clock', then: 'hold' }] })
    await look([only])
    expect(outcomes(only)).toEqual({ clock: 'pass' })
    expect(new Set(clusters.new.calls)).toEqual(new Set(['clockAheadMs']))
  })

  test('what passed is looked at again after a minute, what failed after ten seconds', async () => {
    const { look, clock, clusters, checker } = checkerRig()
    const two = checkedPlan({
      checks: CHECK_IDS.filter((id) => id === 'clock' || id === 'apis').map((id) => ({ id, then: 'hold' })),
    })
    clusters.new.kinds = []
    await look([two])
    const at = () => Object.values(checker.readings(two)).map(({ atMs }) => (atMs - START_MS) / 1000)
    const seen: number[][] = []
    for (let sweep = 1; sweep <= 6; sweep += 1) {
      await clock.advance(10_000)
      await look([two])
      seen.push(at())
    }
    expect(seen).toEqual([
      [10, 0],
      [20, 0],
      [30, 0],
      [40, 0],
      [50, 0],
      [60, 60],
    ])
  })

  test('a rollout that begins anew is looked at anew, however young its readings are', async () => {
    const { look, clock, outcomes, clusters } = checkerRig()
    await look([plan])
    clusters.new.workloads.clear()
    await clock.advance(5_000)
    await look([plan], 'waiting')
    await look([plan])
    expect(outcomes(plan)).toMatchObject({ objects: 'fail', parity: 'fail' })
  })

  test('readings are those of the plan that was looked at', async () => {
    const { look, checker } = checkerRig()
    await look([plan])
    expect(checker.readings({ ...plan, hash: 'bbbb' })).toEqual({})
  })

  test('a rollout that is gone is forgotten', async () => {
    const { look, checker } = checkerRig()
    await look([plan])
    await look([])
    expect(checker.readings(plan)).toEqual({})
  })

  test('nothing is looked at while a workload waits, or once it is over', async () => {
    const { look, outcomes } = checkerRig()
    for (const phase of ['waiting', 'draining', 'completed', 'reverting', 'reverted', 'cancelled'] as const)
      await look([plan], phase)
    expect(outcomes(plan)).toEqual({})
  })
})

describe('while traffic moves', () => {
  test('a deploy on either side is noticed within half a minute, and its end as well', async () => {
    const { look, clock, outcomes, clusters } = checkerRig()
    await look([plan])
    await clock.advance(30_000)
    clusters.old.workloads.set('shop/checkout', { ...READY, containers: [{ name: 'app', image: 'shop/checkout:1.5' }] })
    await look([plan], 'stepping')
    expect(outcomes(plan)).toMatchObject({ parity: 'fail' })
    clusters.new.workloads.set('shop/checkout', { ...READY, containers: [{ name: 'app', image: 'shop/checkout:1.5' }] })
    await clock.advance(10_000)
    await look([plan], 'stepping')
    expect(outcomes(plan)).toMatchObject({ parity: 'pass' })
  })

  test('only the checks that go on are looked at', async () => {
    const { look, clock, checker } = checkerRig()
    await look([plan])
    await clock.advance(60_000)
    await look([plan], 'baking')
    const again = Object.entries(checker.readings(plan)).flatMap(([id, { atMs }]) => (atMs > START_MS ? [id] : []))
    expect(again.sort()).toEqual(['parity', 'replication'])
  })

  test('after a restart they are looked at at once', async () => {
    const { look, outcomes } = checkerRig()
    await look([plan], 'stepping')
    expect(outcomes(plan)).toEqual({ parity: 'pass', replication: 'skipped' })
  })

  test('an API server that is silent once undoes nothing; one that stays silent is missing', async () => {
    const { look, clock, checker, clusters } = checkerRig()
    await look([plan], 'stepping')
    clusters.new.workloads.set('shop/checkout', missing('timeout', 'no answer'))
    const seen: string[] = []
    for (let sweep = 0; sweep < 10; sweep += 1) {
      await clock.advance(10_000)
      await look([plan], 'stepping')
      const { outcome, atMs } = checker.readings(plan)['parity'] ?? { outcome: 'none', atMs: 0 }
      seen.push(`${outcome} ${(clock.nowMs() - atMs) / 1000}`)
    }
    expect(seen.slice(0, 8)).toEqual([10, 20, 30, 40, 50, 60, 70, 80].map((age) => `pass ${age}`))
    expect(seen.at(-1)).toBe('missing 0')
  })
})

describe('asked gently', () => {
  test('what many workloads want to know is asked once', async () => {
    const { look, clusters } = checkerRig()
    const many = Array.from({ length: 50 }, (_, index) => checkedPlan({ workload: `w${index}`, hash: `h${index}` }))
    await look(many)
    const count = (name: string) => clusters.new.calls.filter((call) => call === name).length
    expect([count('workload'), count('servedKinds'), count('disruptionBudgets'), count('clockAheadMs')]).toEqual([
      1, 1, 1, 1,
    ])
  })

  test('only so many questions are under way at once, however many workloads there are', async () => {
    let underWay = 0
    let most = 0
    const { look, clusters } = checkerRig()
    clusters.new.workload = async () => {
      underWay += 1
      most = Math.max(most, underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay -= 1
      return READY
    }
    const many = Array.from({ length: 100 }, (_, index) => {
      const ref = { ...CHECKOUT, name: `w${index}` }
      return checkedPlan({ workload: `w${index}`, hash: `h${index}`, objects: { old: ref, new: ref } })
    })
    await look(many)
    expect(most).toBeLessThanOrEqual(16)
    expect(underWay).toBe(0)
  })

  test('whatever hangs, the look ends with its deadline, and what was not answered is missing', async () => {
    const { look, outcomes, clusters } = checkerRig()
    clusters.new.workload = () => new Promise(() => {})
    const deadline = new AbortController()
    const looking = look([plan], 'preflight', deadline.signal)
    deadline.abort()
    await looking
    expect(outcomes(plan)).toMatchObject({ objects: 'missing', parity: 'missing' })
  })

  test('a check that throws is missing and in the log, and the others go on', async () => {
    const { look, outcomes, clusters, log } = checkerRig()
    clusters.new.servedKinds = () => Promise.reject(new Error('a bug'))
    await look([plan])
    expect(outcomes(plan)).toMatchObject({ apis: 'missing', objects: 'pass', clock: 'pass' })
    expect(log.lines).toEqual([{ level: 'error', message: 'a check threw' }])
  })
})
