import { afterEach, describe, expect, test } from 'vitest'
import { createRig, planFor, type Rig, SWEEP_SECONDS, say, sweep, World } from './rig.ts'

/** Half of it is for all but reverts: by a sweep's deadline far fewer calls than there are small zones. */
const QUOTA = { callsPerSecond: 4, burst: 20, targetsPerRead: 1 }
const BIG = Array.from({ length: 7 }, (_, index) => `big-${index}`)
const SMALL = Array.from({ length: 60 }, (_, index) => `small-${index}`)
/** In so many sweeps each of them can be read. */
const ROUND = 10

let world: World
let rig: Rig

afterEach(async () => {
  const stopped = rig.stop()
  // Calls that wait for the quota end by their deadline.
  await world.clock.advance(60_000)
  await stopped
})

/** A zone of seven pages, and many of one, in one account; all want to be read in each sweep, as nothing is in force yet. */
async function start({ restSeconds }: { restSeconds: number }): Promise<void> {
  world = new World([...BIG, ...SMALL])
  Object.assign(world.traffic, { quota: QUOTA, restSeconds })
  world.traffic.faults.latencyMs = 50
  world.traffic.extra.pending = 'PENDING'
  rig = createRig(world)
  const steps = { steps: '10/6000,100/10' }
  await rig.start([
    ...SMALL.map((name) => planFor(name, steps, name)),
    ...BIG.map((name) => planFor(name, steps, 'big')),
  ])
}

/** What is known of these workloads' targets, each kind once. */
function readingsOf(names: readonly string[]): ReadonlySet<string> {
  const concerned = rig.control.workloads().filter(({ state }) => names.includes(state.workload))
  return new Set(concerned.map(({ observation: { targets } }) => Object.values(targets)[0]?.kind ?? 'not asked'))
}

describe('a zone of many pages, beside more small ones than the quota lets be read', () => {
  test('is read as a whole when its turn comes', async () => {
    await start({ restSeconds: 0 })
    let wasRead = false
    for (let n = 0; n < 2 * ROUND && !wasRead; n++) {
      await sweep(world)
      wasRead = readingsOf(BIG).has('weight')
    }
    expect(wasRead).toBe(true)
  })

  test('is read back at once after a revert in it, whoever else waits', async () => {
    await start({ restSeconds: 600 })
    await sweep(world, 4 * ROUND)
    expect(BIG.map((name) => world.weightOf(name))).toEqual(BIG.map(() => 10))
    delete world.traffic.extra.pending
    // The reads of the next sweep have begun, and used up the half that is theirs.
    await world.clock.advance(SWEEP_SECONDS * 1000 + 500)
    await say(rig, 'revert', 'big-3')
    await world.clock.advance(1000)
    expect([rig.phaseOf('big-3'), world.weightOf('big-3')]).toEqual(['reverted', 0])
  })
})

describe('a reading for whose successor the quota had no room', () => {
  test('stays while it is recent, so that nobody is blind in turns', async () => {
    await start({ restSeconds: 600 })
    await sweep(world, 4 * ROUND)
    for (let n = 0; n < ROUND; n++) {
      await sweep(world)
      expect(readingsOf(world.workloads)).toEqual(new Set(['weight']))
    }
  })

  test('is given up once it is older than the scope may rest', async () => {
    await start({ restSeconds: 1 })
    await sweep(world, 4 * ROUND)
    expect(readingsOf(world.workloads)).toContain('missing')
  })

  test('proves no write that came after it', async () => {
    await start({ restSeconds: 600 })
    await sweep(world, 4 * ROUND)
    world.traffic.faults.refusesReads = true
    await say(rig, 'revert', 'small-0')
    await world.clock.advance(1000)
    expect(world.weightOf('small-0')).toBe(0)
    expect(readingsOf(['small-0'])).toEqual(new Set(['missing']))
    expect(rig.phaseOf('small-0')).toBe('reverting')
    world.traffic.faults.refusesReads = false
  })
})
