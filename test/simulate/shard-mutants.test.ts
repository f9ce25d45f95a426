import { afterEach, expect, test, vi } from 'vitest'
import type * as HouseholdModule from '../../src/core/household.ts'
import type * as RoomModule from '../../src/engine/room.ts'
import type { Commit } from '../../src/ports/store.ts'
import { EDITED_NAMES } from '../../src/simulate/config.ts'
import { INVARIANTS, type InvariantName } from '../../src/simulate/invariants.ts'
import type * as MemoryModule from '../../src/simulate/memory.ts'
import { simulate } from '../../src/simulate/simulation.ts'
import type { Sabotage } from '../../src/simulate/world.ts'
import type * as LayoutModule from '../../src/store/layout.ts'

/** Ways in which replicas that share their work out, and take other configs, could be wrong. */
const MUTANTS = {
  'migrations that share a scope are apart': ['one-writer', {}],
  'a scope that an old plan still writes to is forgotten': ['one-writer', { prefers: 'reload' }],
  'a merged shard is free at once': ['one-writer', { prefers: 'reload' }],
  'a commit of a lease that has gone is taken': ['journal-and-state', { prefers: 'strand' }],
  'the facts of a shard that is merged stay behind': ['fact-once', { prefers: 'overtake' }],
  'every fact waits in the main shard': ['fact-once', {}],
  'a replica works on when its lease has gone': ['shards-swept', {}],
} as const satisfies Readonly<Record<string, readonly [InvariantName, Sabotage]>>
type Name = keyof typeof MUTANTS

/** What is wrong now; null: nothing is. */
const broken = vi.hoisted((): { now: string | null } => ({ now: null }))
const is = (name: Name) => broken.now === name

vi.mock('../../src/core/household.ts', async (original) => {
  const real = await original<typeof HouseholdModule>()
  const householdsOf: typeof real.householdsOf = (plans) =>
    real.householdsOf(
      is('migrations that share a scope are apart') ? plans.map((plan) => ({ ...plan, targets: [] })) : plans,
    )
  return { ...real, householdsOf }
})

vi.mock('../../src/store/layout.ts', async (original) => {
  const real = await original<typeof LayoutModule>()
  const changeOf: typeof real.changeOf = (laid, households) => {
    const isForgetful = is('a scope that an old plan still writes to is forgotten')
    return real.changeOf(laid, isForgetful ? households.map((one) => ({ ...one, scopes: [] })) : households)
  }
  return { ...real, changeOf }
})

vi.mock('../../src/simulate/memory.ts', async (original) => {
  const real = await original<typeof MemoryModule>()
  class Broken extends real.Memory {
    override join(...args: Parameters<MemoryModule.Memory['join']>) {
      const waiting = this.shardNames().map((shard) => [shard, this.pending(shard, 1_000)] as const)
      const layout = super.join(...args)
      const gone = waiting.filter(([shard]) => !this.shardNames().includes(shard))
      if (gone.length === 0) return layout
      if (is('a merged shard is free at once')) for (const name of this.shardNames()) this.shard(name).lease.untilMs = 0
      if (is('the facts of a shard that is merged stay behind'))
        for (const [, facts] of gone) this.lost.push(...facts.map(({ id }) => id))
      return layout
    }

    private readonly lost: string[] = []

    override pending(name: string, limit: number) {
      if (is('every fact waits in the main shard')) {
        const all = this.shardNames().flatMap((shard) => super.pending(shard, limit))
        return name === 'main' ? all : []
      }
      return super.pending(name, limit).filter(({ id }) => !this.lost.includes(id))
    }

    override commit(name: string, commit: Commit) {
      if (!is('a commit of a lease that has gone is taken')) return super.commit(name, commit)
      const { owner, token } = this.shard(name).lease
      return super.commit(name, { ...commit, lease: { owner: owner ?? '', token }, revision: this.load(name).revision })
    }
  }
  return { ...real, Memory: Broken }
})

vi.mock('../../src/engine/room.ts', async (original) => {
  const real = await original<typeof RoomModule>()
  const isHeldBy: typeof real.isHeldBy = (...args) =>
    is('a replica works on when its lease has gone') || real.isHeldBy(...args)
  return { ...real, isHeldBy }
})

afterEach(() => {
  broken.now = null
})

const SEEDS_AT_MOST = 500
const CASES = Object.entries(MUTANTS).map(([name, [invariant, sabotage]]) => ({ name, invariant, sabotage }))

test.each(CASES)('$invariant is broken: $name', { timeout: 300_000 }, async ({ name, invariant, sabotage }) => {
  broken.now = name
  for (let seed = 1; seed <= SEEDS_AT_MOST; seed++) {
    const config = EDITED_NAMES[seed % EDITED_NAMES.length] ?? ''
    const { violations } = await simulate(seed, { config, ...sabotage })
    if (violations.some((violation) => violation.invariant === invariant)) return
  }
  expect.fail(`no seed up to ${SEEDS_AT_MOST} found: ${INVARIANTS[invariant]}`)
})
