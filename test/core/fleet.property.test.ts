import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fleetReadings, isUnderWay, type Member } from '../../src/core/fleet.ts'
import type { FleetPlan, WaveMember } from '../../src/core/fleet-plan.ts'
import { hasBaked, type PhaseName } from '../../src/core/state.ts'
import { FLEET_START_MS, fleetOf, memberOf, phaseOf } from '../support/fleet.ts'

const limit = fc.option(fc.integer({ min: 1, max: 3 }), { nil: null })
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const

interface Fleet {
  readonly plan: FleetPlan
  readonly after: ReadonlyMap<string, readonly string[]>
}

/** Up to eight workloads in up to three waves, with every kind of limit; `after` points to earlier names, so never ahead. */
const fleet: fc.Arbitrary<Fleet> = fc
  .record({
    members: fc.array(
      fc.record({ wave: fc.nat(2), criticality: fc.nat(2), after: fc.option(fc.nat(7), { freq: 2, nil: null }) }),
      { minLength: 1, maxLength: NAMES.length },
    ),
    concurrency: limit,
    waveConcurrency: fc.array(limit, { minLength: 3, maxLength: 3 }),
    spacingSeconds: fc.constantFrom(0, 25, 60),
    canaryFirst: fc.boolean(),
  })
  .map(({ members, waveConcurrency, ...limits }) => {
    const sorted = members.toSorted((a, b) => a.wave - b.wave)
    const named = sorted.map((member, index) => ({ ...member, workload: NAMES[index] ?? '' }))
    const waves = [0, 1, 2].map((wave) => ({
      name: `wave-${wave}`,
      members: named.filter((member) => member.wave === wave) as readonly WaveMember[],
      concurrency: waveConcurrency[wave] ?? null,
    }))
    const after = named.map(({ workload, after }, index): [string, readonly string[]] => {
      const other = after !== null && after < index ? NAMES[after] : undefined
      return [workload, other ? [other] : []]
    })
    return { plan: { ...fleetOf({}), ...limits, waves }, after: new Map(after) }
  })

const command = fc.record({
  at: fc.nat(NAMES.length - 1),
  what: fc.constantFrom('pause', 'resume', 'revert', 'cancel', 'retry', 'late'),
})
/** What happens between and in the rounds. Who is not due is not stepped, however free it is. */
const round = fc.record({
  seconds: fc.integer({ min: 0, max: 30 }),
  bakes: fc.array(fc.nat(NAMES.length - 1), { maxLength: 3 }),
  command: fc.option(command, { nil: null, freq: 2 }),
  due: fc.option(fc.uniqueArray(fc.nat(NAMES.length - 1), { maxLength: 4 }), { nil: null }),
})

/** The rollouts of a fleet, as the core would move them. */
class World {
  readonly members: Map<string, Member>
  readonly plan: FleetPlan
  readonly starts: { readonly workload: string; readonly atMs: number }[] = []
  nowMs = FLEET_START_MS

  constructor({ plan, after }: Fleet) {
    this.plan = plan
    const names = plan.waves.flatMap(({ members }) => members.map(({ workload }) => workload))
    this.members = new Map(names.map((name) => [name, memberOf(name, { after: after.get(name) ?? [] })]))
  }

  get all(): readonly Member[] {
    return [...this.members.values()]
  }

  read() {
    return fleetReadings(this.plan, this.all, [], this.nowMs)
  }

  change(name: string | undefined, patch: Partial<Member['state']>): void {
    const member = name === undefined ? undefined : this.members.get(name)
    if (name && member) this.members.set(name, { ...member, state: { ...member.state, ...patch } })
  }

  phaseOf(name: string | undefined): PhaseName | undefined {
    return this.members.get(name ?? '')?.state.phase.name
  }

  say(name: string | undefined, what: 'pause' | 'resume' | 'revert' | 'cancel' | 'retry' | 'late'): void {
    const phase = this.phaseOf(name)
    const hold = { cause: 'paused', detail: '', sinceMs: this.nowMs, actor: 'ann' } as const
    if (what === 'pause') this.change(name, { holds: [hold] })
    if (what === 'resume') this.change(name, { holds: [] })
    if (what === 'revert' && phase === 'stepping')
      this.change(name, { phase: phaseOf('reverted'), phaseSinceMs: this.nowMs })
    if (what === 'late' && phase === 'draining')
      this.change(name, { phase: phaseOf('reverted'), phaseSinceMs: this.nowMs })
    if (what === 'cancel' && phase === 'stepping') this.change(name, { phase: phaseOf('cancelled') })
    if (what === 'retry' && (phase === 'reverted' || phase === 'cancelled')) {
      this.change(name, { phase: phaseOf('waiting'), startedAtMs: null })
      const last = this.starts.findLastIndex(({ workload }) => workload === name)
      this.starts.splice(last, 1)
    }
  }

  /** What `leaveWaiting` does, by readings that were taken before what was said in this step. */
  startDue(due: readonly string[], readings: ReturnType<World['read']>, bakedBefore: ReadonlySet<string>): string[] {
    const started = due.filter((name) => {
      const { state, plan } = this.members.get(name) ?? {}
      const isFree = state?.phase.name === 'waiting' && state.holds.length === 0
      return isFree && readings.get(name)?.waitsFor === null && plan?.after.every((other) => bakedBefore.has(other))
    })
    for (const name of started) {
      this.change(name, { phase: phaseOf('stepping'), startedAtMs: this.nowMs, phaseSinceMs: this.nowMs })
      this.starts.push({ workload: name, atMs: this.nowMs })
    }
    return started
  }

  baked(): ReadonlySet<string> {
    return new Set(this.all.filter(({ state }) => hasBaked(state.phase.name)).map(({ state }) => state.workload))
  }
}

test('no limit is ever broken by those that start, whatever people say meanwhile', () => {
  fc.assert(
    fc.property(fleet, fc.array(round, { maxLength: 60 }), (given, rounds) => {
      const world = new World(given)
      for (const { seconds, bakes, command, due } of rounds) {
        world.nowMs += seconds * 1000
        for (const at of bakes)
          if (world.phaseOf(NAMES[at]) === 'stepping') world.change(NAMES[at], { phase: phaseOf('draining') })
        const before = { readings: world.read(), baked: world.baked(), phases: phasesOf(world) }
        expect(world.read()).toEqual(before.readings)
        if (command) world.say(NAMES[command.at], command.what)
        const names = due === null ? [...world.members.keys()] : due.flatMap((at) => NAMES[at] ?? [])
        const started = world.startDue(names, before.readings, before.baked)
        for (const name of started) expectAllowed(world, name, before.phases)
      }
    }),
    { numRuns: 3000 },
  )
})

test('when all goes well everybody starts, bakes, and in the end nobody waits', () => {
  fc.assert(
    fc.property(fleet, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (given, paused) => {
      const world = new World(given)
      paused.forEach((is, at) => void (is && world.say(NAMES[at], 'pause')))
      for (let n = 0; n < 80; n++) {
        world.nowMs += 10_000
        for (const { state } of world.all)
          if (state.phase.name === 'stepping' && world.nowMs - state.phaseSinceMs >= 20_000)
            world.change(state.workload, { phase: phaseOf('draining') })
        // Whom nobody resumes for a while must not keep the others of its wave.
        if (n === 30) for (const name of NAMES) world.say(name, 'resume')
        world.startDue([...world.members.keys()], world.read(), world.baked())
      }
      expect(world.all.map(({ state }) => state.phase.name)).toEqual(world.all.map(() => 'draining'))
    }),
    { numRuns: 2000 },
  )
})

function phasesOf(world: World): ReadonlyMap<string, PhaseName> {
  return new Map(world.all.map(({ state }) => [state.workload, state.phase.name]))
}

function expectAllowed(world: World, name: string, before: ReadonlyMap<string, PhaseName>): void {
  const { plan } = world
  const names = (members: readonly WaveMember[]) => members.map(({ workload }) => workload)
  const underWay = (among: readonly string[]) =>
    among.filter((one) => isUnderWay(world.members.get(one)?.state.phase ?? phaseOf('waiting')))
  const index = plan.waves.findIndex(({ members }) => names(members).includes(name))
  const wave = plan.waves[index]
  if (!wave) throw new Error(`${name} is in no wave`)
  const mates = names(wave.members)
  expect(underWay([...world.members.keys()]).length).toBeLessThanOrEqual(plan.concurrency ?? NAMES.length)
  expect(underWay(mates).length).toBeLessThanOrEqual(wave.concurrency ?? NAMES.length)
  for (const earlier of plan.waves.slice(0, index).flatMap(({ members }) => names(members)))
    expect(['draining', 'completed', 'cancelled']).toContain(before.get(earlier))
  if (plan.canaryFirst && !mates.some((mate) => hasBaked(before.get(mate) ?? 'waiting')))
    expect(underWay(mates)).toEqual([name])
  const others = world.starts.filter(({ workload }) => workload !== name)
  for (const { atMs } of others) expect(world.nowMs - atMs).toBeGreaterThanOrEqual(plan.spacingSeconds * 1000)
}
