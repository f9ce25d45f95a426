import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HeadgateEvent } from '../../src/core/event.ts'
import type { CommandName } from '../../src/core/observation.ts'
import { type Death, Life } from '../../src/simulate/life.ts'
import { createRig, planFor, sweep, World } from './rig.ts'

const NAMES = ['catalog', 'checkout', 'search']
const LONGEST_SWEEPS = 250

/** A healthy workload, one that gets sick at its first step, and one that a person pauses until the others are done. */
async function migrate(deaths: readonly Death[]): Promise<World> {
  const world = new World(NAMES)
  world.newBadPercent.set('checkout', 50)
  const plans = [planFor('catalog'), planFor('checkout'), planFor('search', { after: 'catalog' })]
  const toCome = [...deaths]
  let processes = 0
  const begin = () => {
    const life = new Life(toCome.shift() ?? null)
    const rig = createRig(world, { owner: `process ${++processes}`, life })
    rig.begin(plans)
    return life
  }
  let life = begin()
  for (let n = 0; n < LONGEST_SWEEPS && !(await hasEnded(world)); n++) {
    await sweep(world)
    await speak(world)
    if (life.isOver) life = begin()
  }
  life.end()
  return world
}

async function phasesIn({ memory }: World): Promise<ReadonlyMap<string, string>> {
  const { rollouts } = await memory.store.load()
  return new Map(rollouts.map(({ workload, phase }) => [workload, phase.name]))
}

async function hasEnded(world: World): Promise<boolean> {
  const phases = await phasesIn(world)
  return NAMES.every((name) => ['completed', 'reverted'].includes(phases.get(name) ?? ''))
}

/** The same fact may come often: the inbox keeps one. */
async function speak(world: World): Promise<void> {
  const phases = await phasesIn(world)
  const put = (id: string, command: CommandName) => {
    const fact = { id, kind: 'command', workload: 'search', command, reason: 'a test', actor: 'ann' } as const
    return world.memory.inbox.put({ ...fact, receivedAtMs: world.clock.nowMs(), force: false, roles: [] })
  }
  if (phases.has('search')) await put('f1', 'pause')
  if (phases.get('catalog') === 'completed' && phases.get('checkout') === 'reverted') await put('f2', 'resume')
}

/** What was decided for a workload, and what came of it, in order. */
function decisions(events: readonly HeadgateEvent[], workload: string): readonly string[] {
  return events.flatMap((event) => {
    if (event.workload !== workload) return []
    switch (event.type) {
      case 'phase-entered':
        return [`${event.type} ${event.to} ${event.stepIndex}`]
      case 'weight-intended':
        return [`${event.type} ${event.toPercent}`]
      case 'weight-confirmed':
      case 'revert-confirmed':
        return [`${event.type} ${event.weightPercent}`]
      case 'rollout-created':
      case 'plan-pinned':
      case 'revert-started':
        return [event.type]
      default:
        return []
    }
  })
}

test('a process that is killed anywhere, again and again, ends where one that ran through does', async () => {
  const calm = await migrate([])
  const wanted = await calm.events()
  expect(NAMES.map((name) => calm.weightOf(name))).toEqual([100, 0, 100])
  const death = fc.record({ atCall: fc.integer({ min: 1, max: 200 }), when: fc.constantFrom('before', 'after') })
  await fc.assert(
    fc.asyncProperty(fc.array(death, { minLength: 1, maxLength: 6 }), async (deaths) => {
      const world = await migrate(deaths)
      const events = await world.events()
      expect(NAMES.map((name) => world.weightOf(name))).toEqual([100, 0, 100])
      for (const name of NAMES) expect(decisions(events, name)).toEqual(decisions(wanted, name))
      const answered = events.flatMap((event) => (event.type === 'command-done' ? [event.factId] : []))
      expect(answered).toEqual(['f1', 'f2'])
      expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(events.length)
    }),
    { numRuns: 30 },
  )
})
