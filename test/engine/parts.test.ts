import { afterEach, describe, expect, test } from 'vitest'
import type { Command } from '../../src/core/observation.ts'
import { problem } from '../../src/core/problem.ts'
import { settled } from '../../src/simulate/runtime.ts'
import { createRig, planFor, type Rig, say, sweep, World } from './rig.ts'

const rigs: Rig[] = []

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

/** More than are thought of at a time, twice over; each with a scope of its own but a few. */
const NAMES = Array.from({ length: 1_100 }, (_, index) => `service-${index}`)

/** The fleet, whose sweeps have so many commits, each with the workloads whose states it has. */
async function fleet() {
  const world = new World(NAMES)
  const commits: (readonly string[])[] = []
  let onCommit = () => {}
  let refuse = (_names: readonly string[]) => {}
  const { store, inbox } = world.memory
  const rig = createRig(world, {
    ports: {
      inbox,
      store: {
        ...store,
        async commit(commit) {
          refuse(commit.rollouts.map(({ workload }) => workload))
          if (commit.rollouts.length > 0) commits.push(commit.rollouts.map(({ workload }) => workload))
          const committed = await store.commit(commit)
          onCommit()
          return committed
        },
      },
    },
  })
  rigs.push(rig)
  await rig.start(NAMES.map((name) => planFor(name)))
  commits.length = 0
  return {
    ...{ world, rig, commits },
    /** Lets the whole of one sweep go by. */
    async sweepWhole() {
      commits.length = 0
      const before = rig.sweeps.length
      await sweep(world)
      while (rig.sweeps.length === before) await settled()
    },
    beforeEachCommit(listener: (names: readonly string[]) => void) {
      refuse = listener
    },
    afterEachCommit(listener: () => void) {
      onCommit = listener
    },
  }
}

describe('a sweep over a large fleet', () => {
  test('thinks of every workload once, in the order of the config, some at a time', async () => {
    const { rig, commits, sweepWhole } = await fleet()
    await sweepWhole()
    // What is written and read back meanwhile is thought of again.
    expect([...new Set(commits.flat())]).toEqual(NAMES)
    expect(Math.max(...commits.map(({ length }) => length))).toBeLessThan(NAMES.length / 2)
    expect(new Set(rig.sweeps)).toEqual(new Set(['committed']))
  })

  test('lets a command through between two parts, and does nothing twice', async () => {
    const { world, rig, commits, sweepWhole, afterEachCommit } = await fleet()
    await sweepWhole()
    let said: Promise<unknown> | null = null
    const last = NAMES.at(-1) ?? ''
    afterEachCommit(() => {
      said ??= say(rig, 'pause', last)
    })
    await sweepWhole()
    await said
    await settled()
    const place = commits.findIndex((names) => names.length === 1 && names[0] === last)
    expect(place).toBeGreaterThan(0)
    expect(place).toBeLessThan(commits.length - 1)
    const done = await world.eventsOf('command-done')
    expect(done.map(({ workload }) => workload)).toEqual([last])
    expect(rig.engine.book.subject(last)?.state.holds.map(({ cause }) => cause)).toContain('paused')
    expect(await world.eventsOf('clock-gap')).toEqual([])
  })

  test('takes in what nobody was woken for: facts of its parts, and of workloads that are not there', async () => {
    const { world, sweepWhole } = await fleet()
    const { inbox } = world.memory
    const of = (workload: string, id: string): Command => ({
      id,
      kind: 'command',
      command: 'pause',
      ...{ workload, reason: 'a test', actor: 'ann', force: false, roles: [], receivedAtMs: world.clock.nowMs() },
    })
    await inbox.putAll([of('gone', 'fact-1'), of(NAMES[700] ?? '', 'fact-2'), of(NAMES[3] ?? '', 'fact-3')])
    await sweepWhole()
    const done = await world.eventsOf('command-done')
    expect(done.map(({ workload }) => workload)).toEqual([NAMES[3], NAMES[700]])
    expect((await world.eventsOf('command-refused')).map(({ workload }) => workload)).toEqual(['gone'])
    expect(await inbox.pending(10)).toEqual([])
  })
})

test('a part that cannot be committed ends the sweep, and the next one thinks of all again', async () => {
  const { rig, commits, sweepWhole, beforeEachCommit } = await fleet()
  let isAway = true
  beforeEachCommit((names) => {
    if (!isAway || !names.includes(NAMES[700] ?? '')) return
    isAway = false
    throw problem('STORE_UNAVAILABLE', 'the test says so')
  })
  await sweepWhole()
  expect(rig.sweeps.at(-1)).toBe('failed')
  expect(commits.flat()).not.toContain(NAMES.at(-1))
  await sweepWhole()
  expect([...new Set(commits.flat())]).toEqual(NAMES)
  expect(rig.sweeps.at(-1)).toBe('committed')
})
