import { afterEach, describe, expect, test } from 'vitest'
import type { RoutedAlert, UnmatchedAlert } from '../../src/core/observation.ts'
import { settled } from '../../src/simulate/runtime.ts'
import { createRig, planFor, type Rig, sweep, World } from './rig.ts'

const rigs: Rig[] = []

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

const ALERT = { fingerprint: 'c0ffee', startsAtMs: 0, sentence: 'Errors' }

function routed(workload: string, change: Partial<RoutedAlert> = {}): RoutedAlert {
  const fact = { kind: 'alert', alert: ALERT, status: 'firing', action: 'revert', concerns: 'new' } as const
  return { id: `alert:c0ffee:0:firing:${workload}`, workload, ...fact, receivedAtMs: 0, ...change }
}

const UNMATCHED: UnmatchedAlert = {
  ...{ id: 'alert:c0ffee:0', kind: 'unmatched-alert', workload: null, alert: ALERT },
  ...{ labels: { severity: 'info' }, reason: 'no route matches it', receivedAtMs: 0 },
}

/** Two workloads at their first step. */
async function underWay() {
  const world = new World(['catalog', 'checkout'])
  const rig = createRig(world)
  rigs.push(rig)
  await rig.start([planFor('catalog'), planFor('checkout')])
  await sweep(world, 3)
  expect(world.workloads.map((name) => world.weightOf(name))).toEqual([10, 10])
  const take = async (...facts: readonly (RoutedAlert | UnmatchedAlert)[]) => {
    const isNew = await rig.alerts.take(facts)
    await settled()
    return isNew
  }
  return { world, rig, take }
}

describe('an alert', () => {
  test('reverts its workload without waiting for a sweep, and no other', async () => {
    const { world, rig, take } = await underWay()
    expect(await take(routed('checkout'))).toEqual([true])
    expect(world.workloads.map((name) => [rig.phaseOf(name), world.weightOf(name)])).toEqual([
      ['stepping', 10],
      ['reverted', 0],
    ])
    expect(await world.eventsOf('revert-started')).toMatchObject([{ workload: 'checkout', actor: 'alertmanager' }])
  })

  test('that is told again, also after all was done, counts no second time', async () => {
    const { world, take } = await underWay()
    await take(routed('checkout'))
    await sweep(world, 2)
    expect(await take(routed('checkout'), routed('catalog', { action: 'halt' }))).toEqual([false, true])
    await sweep(world, 2)
    expect((await world.eventsOf('alert-taken')).map(({ workload }) => workload)).toEqual(['checkout', 'catalog'])
    expect(await world.eventsOf('revert-started')).toHaveLength(1)
  })

  test('of a workload that is gone meanwhile, or of none, is told in the journal', async () => {
    const { world, take } = await underWay()
    await take(routed('gone'), UNMATCHED)
    await sweep(world, 2)
    expect(await world.eventsOf('alert-unmatched')).toMatchObject([
      { factId: 'alert:c0ffee:0:firing:gone', workload: 'gone', reason: 'no workload "gone"', actor: 'alertmanager' },
      { factId: 'alert:c0ffee:0', workload: null, reason: 'no route matches it', labels: { severity: 'info' } },
    ])
    expect(await world.memory.inbox.pending(10)).toEqual([])
  })
})
