import { afterEach, expect, test, vi } from 'vitest'
import type { Plan } from '../../src/core/plan.ts'
import { LATE_WRITE_MS } from '../../src/core/state.ts'
import type { StepInput, StepResult } from '../../src/core/step.ts'
import type { ActDeps, ScopeWriter } from '../../src/engine/act.ts'
import type * as BookModule from '../../src/engine/book.ts'
import type { LeaseKeeper } from '../../src/engine/lease.ts'
import type * as ShareOutModule from '../../src/engine/share-out.ts'
import type { Inbox } from '../../src/ports/store.ts'
import { TTL_SECONDS } from '../../src/simulate/config.ts'
import { INVARIANTS, type InvariantName } from '../../src/simulate/invariants.ts'
import { simulate } from '../../src/simulate/simulation.ts'
import type { Sabotage } from '../../src/simulate/world.ts'

type Step = (input: StepInput) => StepResult
type LeaseModule = { LeaseKeeper: new (...args: ConstructorParameters<typeof LeaseKeeper>) => LeaseKeeper }
type ShareOut = typeof ShareOutModule
type Want = ScopeWriter['want']

interface Broken {
  step: ((real: Step) => Step) | null
  want: ((real: Want) => Want) | null
  isTrusting: boolean
  isClinging: boolean
  isFaithless: boolean
  isGreedy: boolean
}

/** What is broken now: the real step and the real writer, seen through these. */
const broken = vi.hoisted(() => {
  const none: Broken = {
    step: null,
    want: null,
    isTrusting: false,
    isClinging: false,
    isFaithless: false,
    isGreedy: false,
  }
  return none
})

vi.mock('../../src/core/step.ts', async (original) => {
  const real = await original<{ step: Step }>()
  return { ...real, step: (input: StepInput) => (broken.step?.(real.step) ?? real.step)(input) }
})

vi.mock('../../src/engine/act.ts', async (original) => {
  const real = await original<{ ScopeWriter: new (scope: string, deps: ActDeps) => ScopeWriter }>()
  class Broken extends real.ScopeWriter {
    override want(...args: Parameters<Want>): void {
      const whole: Want = (...given) => super.want(...given)
      ;(broken.want?.(whole) ?? whole)(...args)
    }
  }
  return { ...real, ScopeWriter: Broken }
})

vi.mock('../../src/engine/lease.ts', async (original) => {
  const real = await original<LeaseModule>()
  class Broken extends real.LeaseKeeper {
    private last: number | null = null

    override async hold() {
      const lease = await super.hold()
      this.last = lease.token
      return lease
    }

    override async release(): Promise<void> {
      if (!broken.isClinging) await super.release()
    }

    override heldToken(): number | null {
      return broken.isTrusting ? this.last : super.heldToken()
    }
  }
  return { ...real, LeaseKeeper: Broken }
})

vi.mock('../../src/engine/share-out.ts', async (original) => {
  const real = await original<ShareOut>()
  const fairShare: ShareOut['fairShare'] = (look) => (broken.isGreedy ? look.shards.length : real.fairShare(look))
  return { ...real, fairShare }
})

vi.mock('../../src/engine/book.ts', async (original) => {
  const real = await original<typeof BookModule>()
  class Broken extends real.Book {
    private newest = new Map<string, Plan>()

    override configure(plans: readonly Plan[]): void {
      super.configure(plans)
      this.newest = new Map(plans.map((plan) => [plan.workload, plan]))
    }

    override subject(workload: string) {
      const [subject, plan] = [super.subject(workload), this.newest.get(workload)]
      return broken.isFaithless && subject && plan ? { ...subject, plan } : subject
    }
  }
  return { ...real, Book: Broken }
})

const WHOLE: Broken = { ...broken }

afterEach(() => {
  Object.assign(broken, WHOLE)
})

interface Mutant {
  readonly name: string
  readonly step?: (real: Step) => Step
  readonly want?: (real: Want) => Want
  readonly isTrusting?: true
  readonly isClinging?: true
  readonly isFaithless?: true
  readonly isGreedy?: true
  readonly sabotage?: Sabotage
}

const MUTANTS: Readonly<Record<InvariantName, Mutant>> = {
  'weights-sum': {
    name: 'a provider that loses a share',
    sabotage: { distort: ({ new: fresh }) => ({ old: 99 - fresh, new: fresh }) },
  },
  'no-raise-without-passes': {
    name: 'a step without gates',
    step: (real) => (input) => real({ ...input, plan: { ...input.plan, gates: [] } }),
  },
  'halted-never-rises': {
    name: 'a step that does not see that it is paused',
    step: (real) => (input) => {
      const paused = input.state.holds.filter(({ cause }) => cause === 'paused')
      const result = real({ ...input, state: { ...input.state, holds: without(input.state.holds, paused) } })
      const isPausedNow = result.state.holds.some(({ cause }) => cause === 'paused')
      return isPausedNow ? result : { ...result, state: { ...result.state, holds: [...result.state.holds, ...paused] } }
    },
  },
  'closed-never-rises': {
    name: 'a step without a calendar',
    sabotage: { prefers: 'close' },
    step: (real) => (input) => real({ ...input, observation: { ...input.observation, calendar: null } }),
  },
  'hook-before-raise': {
    name: 'a step without hooks',
    sabotage: { config: 'hooked' },
    step: (real) => (input) => real({ ...input, plan: { ...input.plan, hooks: [] } }),
  },
  'ttls-put-back': {
    name: 'a writer that leaves TTLs as they are once traffic has moved',
    sabotage: { config: 'named' },
    want: (real) => (ids, effects) =>
      real(
        ids,
        effects.map((effect) => ({
          ...effect,
          ttlSeconds: effect.ttlSeconds === TTL_SECONDS.before ? null : effect.ttlSeconds,
        })),
      ),
  },
  'revert-not-overtaken': {
    name: 'a writer that writes its steps over a revert',
    want: (real) => (ids, effects) =>
      real(
        ids,
        effects.map((effect) =>
          effect.urgency === 'revert' ? { ...effect, weightPercent: 10, urgency: 'forward' } : effect,
        ),
      ),
  },
  'one-writer': {
    name: 'a process that trusts a lease for ever, and tries each write for ever',
    isTrusting: true,
    want: (real) => (ids, effects) =>
      real(
        ids,
        effects.map((effect) => ({ ...effect, urgency: 'revert' })),
      ),
  },
  'shards-swept': { name: 'a replica that keeps whatever it has', sabotage: { config: 'apart' }, isGreedy: true },
  'plan-kept': {
    name: 'a book that goes by the newest plan',
    sabotage: { config: 'edited10', prefers: 'reload' },
    isFaithless: true,
  },
  'hands-over': { name: 'a lease that is kept to the end', isClinging: true },
  'fact-once': { name: 'an inbox that forgets', sabotage: { inbox: forgetful } },
  'journal-and-state': {
    name: 'a journal that leaves out holds',
    sabotage: {
      store: (store) => ({
        ...store,
        commit: (commit) =>
          store.commit({ ...commit, events: commit.events.filter(({ type }) => type !== 'hold-added') }),
      }),
    },
  },
  'journal-chain': {
    name: 'somebody with a hand on the file',
    sabotage: { atEnd: ({ memory }) => memory.tamper((rows) => rows.slice(1)) },
  },
  'revert-ends': {
    name: 'a writer that makes no reverts',
    want: (real) => (ids, effects) =>
      real(
        ids,
        effects.filter(({ urgency }) => urgency !== 'revert'),
      ),
  },
  converges: {
    name: 'a step that stays where it is while it bakes',
    step: (real) => (input) =>
      input.state.phase.name === 'baking' && input.observation.facts.length === 0
        ? { state: input.state, effects: [], tasks: [], events: [], verdicts: [] }
        : real(input),
  },
  'targets-hold': {
    name: 'a weight that moves by itself',
    sabotage: {
      atEnd: ({ provider }) => {
        for (const place of provider.shares.keys()) provider.edit(place, 42)
      },
    },
  },
  'late-raise-ends': {
    name: 'a step that looks no more once it has reverted',
    sabotage: { prefers: 'overtake' },
    step: (real) => (input) => {
      const result = real(input)
      if (result.state.phase.name !== 'reverted') return result
      return { ...result, state: { ...result.state, heldMs: LATE_WRITE_MS } }
    },
  },
  'harm-is-caught': { name: 'a step to which all is well', step: (real) => (input) => real(rosy(input)) },
  'no-fault': {
    name: 'a step that throws',
    step: (real) => (input) => {
      if (input.state.phase.name === 'baking') throw new Error('a bug')
      return real(input)
    },
  },
}

function without<T>(all: readonly T[], some: readonly T[]): readonly T[] {
  return all.filter((one) => !some.includes(one))
}

function forgetful(inbox: Inbox): Inbox {
  return { ...inbox, putAll: async (facts) => facts.map(() => true) }
}

/** Nothing has ever failed. */
function rosy(input: StepInput): StepInput {
  const text = JSON.stringify(input.observation.slis, (key, value) => (key === 'bad' ? 0 : value))
  return { ...input, observation: { ...input.observation, slis: JSON.parse(text) } }
}

// The rarest of them takes a dozen seconds, and longer where others work too.
const PATIENT = { timeout: 300_000 }
const SEEDS_AT_MOST = 500

const CASES = Object.entries(MUTANTS).map(([invariant, mutant]) => ({ invariant, ...mutant }))

test.each(CASES)('$invariant is broken by $name', PATIENT, async ({ invariant, name, sabotage, ...mutant }) => {
  Object.assign(broken, mutant)
  for (let seed = 1; seed <= SEEDS_AT_MOST; seed++) {
    const { violations } = await simulate(seed, sabotage)
    if (violations.some((violation) => violation.invariant === invariant)) return
  }
  expect.fail(`no seed up to ${SEEDS_AT_MOST} found: ${INVARIANTS[invariant as InvariantName]}`)
})
