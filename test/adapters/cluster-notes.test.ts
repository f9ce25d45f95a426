import { expect, test } from 'vitest'
import { ClusterNotes } from '../../src/cluster/notes.ts'
import { openClusters } from '../../src/cluster/open.ts'
import type { EventBody, JournalRow } from '../../src/core/event.ts'
import { missing } from '../../src/core/observation.ts'
import type { Cluster } from '../../src/ports/cluster.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createFakeLog, createFakeRandom, settled } from '../../src/simulate/runtime.ts'
import { planFor } from '../support/object-plans.ts'
import { until } from '../support/until.ts'
import { fakeCluster } from '../tasks/rig.ts'

const PLAN = planFor('a')
const NEW_IS_STS = {
  ...PLAN,
  objects: { old: planFor('a').objects?.old, new: planFor('a-v2', 'StatefulSet').objects?.new },
}

/** A cluster that takes every note, unless the test says otherwise. */
function clusterOf(answers: Partial<Cluster> = {}) {
  const told: string[] = []
  const tell: Cluster['tell'] = async ({ kind, namespace, name }, { reason, type, message }) => {
    told.push(`${kind} ${namespace}/${name} ${type} ${reason}: ${message}`)
    return null
  }
  return { told, ...fakeCluster({ tell, ...answers }) }
}

function rows(...bodies: readonly EventBody[]): JournalRow[] {
  return bodies.map((body, index) => ({
    seq: index + 1,
    event: { atMs: 0, runId: 'r1', workload: 'a', actor: 'headgate', ...body },
  }))
}

const weight = (fromPercent: number, toPercent: number, urgency: 'forward' | 'revert' = 'forward'): EventBody => {
  return { type: 'weight-intended', fromPercent, toPercent, trial: null, urgency, reason: 'so', evidence: [] }
}
const held = (cause: 'halted' | 'paused'): EventBody => {
  return { type: 'hold-added', hold: { cause, detail: 'it burns', sinceMs: 0, actor: 'headgate' }, evidence: [] }
}
const entered = (to: 'completed' | 'baking'): EventBody => {
  return { type: 'phase-entered', from: 'stepping', to, stepIndex: null, reason: 'so' }
}

function start(answers: { old?: Partial<Cluster>; new?: Partial<Cluster> } = {}, plan = PLAN) {
  const sides = { old: clusterOf(answers.old), new: clusterOf(answers.new) }
  const clock = createFakeClock(0)
  const log = createFakeLog()
  const clusters = (migration: string) => (migration === 'm' ? sides : null)
  const notes = new ClusterNotes({ clusters, planOf: (workload) => (workload === 'a' ? plan : null), clock, log })
  return { notes, sides, clock, log }
}

test('what moves, stops or ends a workload is told on its object in both clusters, in order', async () => {
  const { objects } = NEW_IS_STS
  if (!objects.old || !objects.new) throw new Error('a plan without objects')
  const { notes, sides } = start({}, { ...PLAN, objects: { old: objects.old, new: objects.new } })
  notes.take(rows(weight(0, 5), held('halted'), entered('completed')))
  await settled()
  const said = (object: string) => [
    `${object} Normal WeightRaised: weight 0 % → 5 %: so (by headgate, run r1)`,
    `${object} Warning Halted: on hold (halted): it burns (by headgate, run r1)`,
    `${object} Normal Completed: stepping → completed: so (by headgate, run r1)`,
  ]
  expect(sides.old.told).toEqual(said('Deployment shop/a'))
  expect(sides.new.told).toEqual(said('StatefulSet shop/a-v2'))
})

test.each<[string, EventBody, string | null]>([
  ['a raise', weight(5, 10), 'WeightRaised'],
  ['a trial', { ...weight(0, 0), trial: { kind: 'marked' } } as EventBody, 'TrialStarted'],
  ['the weight of a revert', weight(10, 0, 'revert'), null],
  ['a hold that is no halt', held('paused'), null],
  ['a halt that is over', { type: 'hold-removed', cause: 'halted', reason: 'so', heldSeconds: 9 }, 'HaltOver'],
  ['a hold that is over', { type: 'hold-removed', cause: 'paused', reason: 'so', heldSeconds: 9 }, null],
  ['a revert', { type: 'revert-started', fromPercent: 5, toPercent: 0, reason: 'so', evidence: [] }, 'RevertStarted'],
  ['a revert that is there', { type: 'revert-confirmed', weightPercent: 0, secondsSinceStarted: 3 }, 'Reverted'],
  ['a revert refused', { type: 'revert-refused', reason: 'so', evidence: [] }, 'RevertRefused'],
  ['blindness', { type: 'blind-too-long', seconds: 300, detail: 'no data' }, 'Blind'],
  ['a phase on the way', entered('baking'), null],
  ['a write', { type: 'weight-confirmed', weightPercent: 5, secondsSinceIntended: 1 }, null],
])('%s has its reason, or is not told', async (_, body, reason) => {
  const { notes, sides } = start()
  notes.take(rows(body))
  await settled()
  expect(sides.new.told.map((text) => / (\w+):/.exec(text)?.[1])).toEqual(reason === null ? [] : [reason])
})

test('a workload without objects, without access or without a plan is told nowhere', async () => {
  for (const plan of [
    { ...PLAN, objects: null },
    { ...PLAN, migration: 'other' },
  ]) {
    const { notes, sides } = start({}, plan)
    notes.take(rows(weight(0, 5)))
    notes.take(rows(weight(0, 5)).map(({ seq, event }) => ({ seq, event: { ...event, workload: 'unknown' } })))
    notes.take(rows(weight(0, 5)).map(({ seq, event }) => ({ seq, event: { ...event, workload: null } })))
    await settled()
    expect([...sides.old.told, ...sides.new.told]).toEqual([])
  }
})

test('a server that hangs holds up neither the caller nor the other cluster, and is given up after a while', async () => {
  let tries = 0
  const hanging = (_ref: unknown, _note: unknown, signal: AbortSignal) => {
    tries += 1
    return new Promise<ReturnType<typeof missing>>((resolve) =>
      signal.addEventListener('abort', () => resolve(missing('timeout', 'no answer'))),
    )
  }
  const { notes, sides, clock, log } = start({ old: { tell: hanging } })
  notes.take(rows(weight(0, 5), weight(5, 10)))
  await settled()
  expect(sides.new.told).toHaveLength(2)
  expect(tries).toBe(1)
  await clock.advance(5000)
  expect(tries).toBe(2)
  await clock.advance(5000)
  expect(log.lines).toEqual([{ level: 'warn', message: 'a Kubernetes event was not told' }])
})

test('beyond a thousand that wait the oldest are dropped, with one warning a cluster', async () => {
  const told: string[] = []
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const slow: Cluster['tell'] = async (_, { message }) => {
    await gate
    told.push(message)
    return null
  }
  const { notes, log } = start({ old: { tell: slow } })
  for (let step = 0; step < 1500; step += 1) notes.take(rows(weight(0, step)))
  open()
  await until('all are told', () => told.length >= 1001 && told.at(-1)?.includes('→ 1499 %'))
  // The first was under way already.
  expect(told).toHaveLength(1001)
  expect(told[1]).toContain('→ 500 %')
  expect(log.lines).toHaveLength(2)
})

test('closing ends what is under way, and tells nothing more', async () => {
  const { notes, sides } = start({
    old: {
      tell: (_ref, _note, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(missing('timeout', 'ended')))),
    },
  })
  notes.take(rows(weight(0, 5), weight(5, 10)))
  await notes.close()
  notes.take(rows(weight(10, 20)))
  await settled()
  expect(sides.new.told.filter((text) => text.includes('20 %'))).toEqual([])
})

test('clusters are opened once, only where access is configured, and stay for a migration that is gone', async () => {
  const place = (context: string) => ({ kubeconfig: null, context })
  const m = { migration: 'm', kubernetes: { old: place('a'), new: place('b') } }
  let migrations: { migration: string; kubernetes: typeof m.kubernetes | null }[] = [
    m,
    { migration: 'plain', kubernetes: null },
  ]
  const deps = { clock: createFakeClock(0), random: createFakeRandom(), log: createFakeLog() }
  const open = openClusters(() => migrations, deps)
  const first = open.of('m')
  expect(first).not.toBeNull()
  expect([open.of('plain'), open.of('unknown')]).toEqual([null, null])
  migrations = []
  expect(open.of('m')).toBe(first)
  await open.close()
})
