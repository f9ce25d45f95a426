import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ALERTMANAGER } from '../../src/core/alerts.ts'
import { CHECKS } from '../../src/core/check.ts'
import type { HeadgateEvent } from '../../src/core/event.ts'
import { isUnwritten } from '../../src/core/found.ts'
import { COMMANDS } from '../../src/core/observation.ts'
import { isAtRest, isTerminal } from '../../src/core/state.ts'
import { includesWeight, sameWeight } from '../../src/core/weights.ts'
import { type PlayedStep, World } from '../scenarios/world.ts'

// Anything that may happen to a rollout, in any order. Sweeps come often enough for it to get somewhere.
const percent = fc.constantFrom('0%', '0.5%', '3%', '30%', '100%')
const line = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 8 }).map((n) => `sweep ${n}`) },
  { weight: 2, arbitrary: fc.constantFrom(...COMMANDS) },
  { weight: 1, arbitrary: fc.constant('revert --force now') },
  { weight: 3, arbitrary: fc.tuple(percent, percent).map(([a, b]) => `traffic new=${a} old=${b}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'traffic rate=0',
      'traffic rate=2',
      'traffic rate=100',
      'traffic share=0',
      'traffic share=weight',
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom('provider up', 'provider up', 'provider down', 'provider deaf') },
  { weight: 2, arbitrary: fc.constantFrom('prometheus up', 'prometheus up', 'prometheus down') },
  { weight: 1, arbitrary: fc.constantFrom('foreign 0', 'foreign 10', 'foreign 33.3') },
  { weight: 1, arbitrary: fc.constantFrom('clock +1000', 'clock -1000', 'clock +5', 'clock -5') },
  { weight: 1, arbitrary: fc.constantFrom('dependency none', 'dependency stepping', 'dependency completed') },
  { weight: 1, arbitrary: fc.constantFrom('probe new=ok', 'probe new=status_500', 'probe new=ok old=status_500') },
  { weight: 2, arbitrary: fc.constant('urgent') },
  { weight: 2, arbitrary: fc.constantFrom('calendar open', 'calendar closed', 'calendar none') },
  { weight: 2, arbitrary: fc.constantFrom('fleet free', 'fleet free', 'fleet waits', 'fleet halt', 'fleet blind') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('checks parity=pass objects=pass', 'checks parity=fail', 'checks objects=missing'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('replicas old=10 new=12', 'replicas old=10 new=2', 'replicas old=2 new=12', 'replicas'),
  },
  { weight: 3, arbitrary: fc.constantFrom('task / passed', 'task / passed', 'task / failed', 'crash') },
  { weight: 1, arbitrary: fc.constantFrom('roles lead', 'roles') },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('firing', 'firing', 'resolved'),
        fc.constantFrom('halt', 'halt', 'revert'),
        fc.constantFrom('A', 'B'),
        fc.constantFrom('0', '0', '1'),
        fc.constantFrom('new', 'new', 'old', 'neither'),
      )
      .map((words) => `alert ${words.join(' ')}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('latency old=0.1 new=0.1', 'latency old=0.1 new=0.3', 'latency old=0.3 new=0.1'),
  },
)
const plan = fc.constantFrom(
  'plan',
  'plan steps=1/10,99.9/20!,100/10 safe=0.5',
  'plan probe=yes worst=halt',
  'plan sli=no probe=yes',
  'plan drift=correct settle=30',
  'plan after=catalog',
  'plan checks=objects,parity,errorBudget after=catalog',
  'plan capacity=25 scale=up down=0! steps=0/10,10/10,10w/0,50/10!lead,100/10',
  'plan capacity=25 checks=parity drain=60',
  'plan hooks=preflight:hold,before-step:hold,after-step:revert,before-completion:go-on,after-revert:hold',
  'plan gates=all',
  'plan gates=all latency=yes slow=revert',
  'plan gates=all probe=yes low=probes lowAfter=30 minRequests=1',
  'plan gates=all latency=yes probe=yes worst=halt low=person lowAfter=30 settle=30',
  'plan gates=all budgetHalt=0.001 budgetRevert=0.002 steps=1/10,99.9/20!,100/10 safe=0.5',
)

type WeightIntended = Extract<HeadgateEvent, { type: 'weight-intended' }>

function isRaise(event: HeadgateEvent): event is HeadgateEvent & WeightIntended {
  return event.type === 'weight-intended' && event.urgency === 'forward' && event.toPercent > event.fromPercent
}

/** A person's word that may stand for evidence. */
function isPersons(event: HeadgateEvent): boolean {
  return event.type === 'command-done' && (event.command === 'advance' || event.command === 'retry')
}

/** Whether something new may be sent to NEW, or more: a raise, or the write of one. */
function raises({ events, effects, weightPercent }: PlayedStep): boolean {
  const isWritten = effects.some((effect) => effect.urgency === 'forward' && effect.weightPercent > weightPercent)
  return isWritten || events.some(isRaise)
}

/** It starts by itself: what a person or an alert says of traffic that has moved already waits for no turn. */
function begins({ events }: PlayedStep): boolean {
  const isBegun = events.some(({ type }) => type === 'plan-pinned')
  return isBegun && !events.some(({ type }) => type === 'weight-adopted' || type === 'revert-started')
}

/** What else is said in the same breath has consequences of its own. */
function isAdoptAlone({ facts }: PlayedStep['observation']): boolean {
  return facts.every((fact) => fact.kind === 'command' && fact.command === 'adopt')
}

/** The target was read before the rollout wrote anything, and has another weight than it starts from. */
function hasUnknownWeight({ before, observation, events }: PlayedStep): boolean {
  const reading = observation.targets['lb']
  return (
    isUnwritten(before) &&
    !events.some((event) => event.type === 'command-done' && event.command === 'retry') &&
    reading?.kind === 'weight' &&
    !sameWeight(reading.weightPercent, before.intendedWeightPercent)
  )
}

/** What must hold in every single step, each with the sentence that a failure prints. */
const LAWS: Readonly<Record<string, (played: PlayedStep) => boolean>> = {
  'a forward write that raises is only asked for while nothing holds it': ({ after, effects, weightPercent }) =>
    effects.every(
      (effect) => effect.urgency === 'revert' || effect.weightPercent <= weightPercent || after.holds.length === 0,
    ),
  'a raise is intended only while there is no hold': ({ before, events }) => {
    const causes = new Set(before.holds.map(({ cause }) => cause))
    return events.every((event) => {
      if (event.type === 'hold-added') causes.add(event.hold.cause)
      if (event.type === 'hold-removed') causes.delete(event.cause)
      return !isRaise(event) || causes.size === 0
    })
  },
  'what an alert held ends with the last of the alerts, a person’s word, or the rollout': ({ before, after, events }) =>
    !before.holds.some(({ cause }) => cause === 'alert') ||
    after.holds.some(({ cause }) => cause === 'alert') ||
    events.some((event) => event.type === 'command-done' || event.type === 'revert-started') ||
    before.alerts.every(({ fingerprint }) =>
      events.some(
        (event) =>
          event.type === 'alert-taken' && event.status === 'resolved' && event.alert.fingerprint === fingerprint,
      ),
    ),
  'the end of an alert ends no other hold': ({ observation, events }) =>
    observation.facts.some((fact) => fact.kind === 'command' || fact.status === 'firing') ||
    observation.facts.length === 0 ||
    !events.some((event) => event.type === 'hold-removed' && event.actor === ALERTMANAGER && event.cause !== 'alert'),
  'nothing begins or is raised outside the windows': (played) =>
    played.observation.calendar?.isOpen !== false ||
    !(raises(played) || begins(played) || played.events.some(({ type }) => type === 'ttls-lowered')),
  'nothing begins before its dependencies are done, and it is its turn': (played) =>
    !begins(played) ||
    (played.observation.fleet.waitsFor === null &&
      Object.values(played.observation.dependencies).every((phase) => phase === 'completed' || phase === 'draining')),
  'a weight that nobody here wrote is left alone until a person or an alert says otherwise': (played) =>
    !hasUnknownWeight(played) ||
    played.effects.length === 0 ||
    played.events.some(({ type }) => type === 'revert-started'),
  'an unknown weight is never raised from without an adopt': (played) => !hasUnknownWeight(played) || !raises(played),
  'an adopt writes nothing, and takes what is there': ({
    before,
    after,
    observation,
    effects,
    events,
    weightPercent,
  }) =>
    !isAdoptAlone(observation) ||
    events.every(
      (event) =>
        event.type !== 'weight-adopted' ||
        (effects.length === 0 &&
          sameWeight(event.weightPercent, weightPercent) &&
          sameWeight(after.intendedWeightPercent, weightPercent) &&
          after.confirmedWeightPercent === after.intendedWeightPercent &&
          after.heldMs === 0 &&
          before.confirmedWeightPercent === null),
    ),
  'an adopt goes on from a step whose weight is not above the one that is there': ({
    after,
    observation,
    plan,
    events,
  }) =>
    !isAdoptAlone(observation) ||
    events.every(
      (event) =>
        event.type !== 'weight-adopted' ||
        event.stepIndex === null ||
        (after.phase.name === 'stepping' &&
          (plan.steps[after.phase.stepIndex]?.weightPercent ?? 100) < event.weightPercent + 0.05),
    ),
  'nothing is raised against a check, the fleet, or without the replicas': (played) =>
    !raises(played) || !isHeldBack(played),
  'a task is asked for until its end is seen, and never again': ({ before, after, observation, tasks }) =>
    tasks.every(({ key }) => observation.tasks[key]?.kind !== 'passed' && observation.tasks[key]?.kind !== 'failed') &&
    Object.entries(before.tasks).every(([key, { outcome, round }]) => {
      const now = after.tasks[key]
      const isNewRound = now === undefined || now.round > round || after.round > before.round
      return outcome === null || isNewRound || now.outcome === outcome
    }),
  'a step is raised only from a weight that was in force': ({ before, events }) =>
    before.phase.name !== 'stepping' ||
    !events.some(isRaise) ||
    before.inForceAtMs !== null ||
    // It came in force in this very step, or the rollout began anew in it.
    events.some(({ type }) => type === 'weight-in-force' || type === 'plan-pinned'),
  'a raise needs every gate to pass, or a person to advance': ({ before, events }) =>
    before.phase.name !== 'stepping' ||
    events.every(
      (event) =>
        !isRaise(event) ||
        // Without a weight there is nothing to prove it with yet.
        event.evidence.every(
          ({ outcome }) => outcome === 'pass' || (outcome === 'wait' && before.intendedWeightPercent === 0),
        ) ||
        before.advancedStepIndex !== null ||
        events.some(isPersons),
    ),
  'a raise goes up by one step of the plan': ({ before, after }) =>
    before.phase.name !== 'stepping' ||
    after.phase.name !== 'stepping' ||
    after.phase.stepIndex - before.phase.stepIndex <= 1,
  'a weight is lowered by a revert or a person only': ({ before, after, events }) =>
    after.intendedWeightPercent >= before.intendedWeightPercent ||
    events.some(
      (event) => event.type === 'revert-started' || (event.type === 'command-done' && event.command === 'retry'),
    ),
  'a rollout that has ended asks for nothing, but a revert for a raise to be taken back that came after it': ({
    after: { phase, unconfirmedPercents },
    effects,
  }) =>
    !isTerminal(phase) ||
    effects.length === 0 ||
    (phase.name === 'reverted' &&
      unconfirmedPercents.length > 0 &&
      effects.every(({ urgency }) => urgency === 'revert')),
  'missing data never raises or reverts': ({ before, after, observation, events }) =>
    Object.values(observation.slis).every(({ kind }) => kind !== 'missing') ||
    after.intendedWeightPercent === before.intendedWeightPercent ||
    events.some((event) => event.type === 'command-done' || event.type === 'phase-entered'),
  'a revert is asked for by a verdict, a hook, an alert or a person': ({ before, after, events }) =>
    events.every(
      (event) =>
        event.type !== 'revert-started' ||
        event.evidence.some(({ outcome }) => outcome === 'revert') ||
        events.some((other) => other.type === 'command-done' && other.command === 'revert') ||
        events.some(
          (other) => other.type === 'alert-taken' && other.action === 'revert' && other.status === 'firing',
        ) ||
        // A person asked before, and it waited for OLD; or a hook asks for it, as its policy says.
        before.askedRevert !== null ||
        Object.values(after.tasks).some(({ outcome }) => outcome === 'failed'),
    ),
  'an alert about OLD never sends the traffic there': ({ before, observation, events }) =>
    !events.some((event) => event.type === 'revert-started' && event.actor === ALERTMANAGER) ||
    observation.facts.some((fact) => fact.kind === 'alert' && fact.status === 'firing' && fact.concerns !== 'old') ||
    before.askedRevert !== null,
  // JSON has no word for what is not finite.
  'evidence is finite': ({ after: { tests, proofs } }) =>
    !/null/.test(JSON.stringify([Object.values(tests).filter(({ kind }) => kind !== 'budget'), proofs])),
  'each fact is answered once': ({ observation, events }) =>
    observation.facts.every(
      ({ id }) => events.filter((event) => 'factId' in event && event.factId === id).length === 1,
    ),
  'a rollout has one hold of each cause': ({ after }) =>
    new Set(after.holds.map(({ cause }) => cause)).size === after.holds.length,
  'holds and journal agree': ({ before, after, events }) => {
    const causes = new Set(before.holds.map(({ cause }) => cause))
    for (const event of events) {
      if (event.type === 'hold-added') causes.add(event.hold.cause)
      if (event.type === 'hold-removed') causes.delete(event.cause)
    }
    return after.holds.length === causes.size && after.holds.every(({ cause }) => causes.has(cause))
  },
  'a revert stays at the safe weight until it is confirmed': ({ before, after, events }) =>
    before.phase.name !== 'reverting' ||
    after.intendedWeightPercent === before.intendedWeightPercent ||
    // A person cancelled it, and began anew, in this very step.
    events.some((event) => event.type === 'phase-entered' && event.to === 'waiting'),
  'what is written is what is intended': ({ after, effects }) =>
    effects.every(
      ({ weightPercent }) =>
        weightPercent === after.intendedWeightPercent && includesWeight(after.unconfirmedPercents, weightPercent),
    ),
}

/** Whether something speaks against the weight that is intended now, whatever the rollout's holds say. */
function isHeldBack({ observation, after, plan }: PlayedStep): boolean {
  const isAgainst = plan.checks.some(
    ({ id, then }) => then === 'hold' && CHECKS[id].during === 'always' && isFailing(observation.checks[id]?.outcome),
  )
  const isStopped = observation.fleet.verdicts.length > 0
  const { capacity } = plan
  const fresh = observation.replicas?.new
  const ready = fresh?.kind === 'replicas' ? fresh.ready : 0
  const share =
    ((after.fullReplicas ?? Number.POSITIVE_INFINITY) *
      after.intendedWeightPercent *
      (1 + (capacity?.headroomPercent ?? 0) / 100)) /
    100
  return isAgainst || isStopped || (capacity !== null && ready < share)
}

function isFailing(outcome: string | undefined): boolean {
  return outcome === 'fail' || outcome === 'missing' || outcome === undefined
}

// Ten thousand lives take some seconds, and longer where others work too.
const PATIENT = { timeout: 120_000 }

test('no order of events breaks a law of the state machine', PATIENT, () => {
  fc.assert(
    fc.property(plan, fc.array(line, { minLength: 5, maxLength: 40 }), (planLine, lines) => {
      const world = new World()
      world.run(planLine)
      for (const one of lines) world.run(one)
      for (const played of world.steps)
        for (const [law, holds] of Object.entries(LAWS))
          if (!holds(played)) expect.fail(`${law}: ${JSON.stringify(played.events)}`)
    }),
    { numRuns: 10_000 },
  )
})

test('after all faults end, a rollout that nobody stopped gets to the end', PATIENT, () => {
  // All of an SLI's gates, with limits on the budget that the faults here do not use up for good.
  const lasting = fc.constantFrom('plan', 'plan gates=all budgetHalt=1e9 budgetRevert=1e9')
  fc.assert(
    fc.property(lasting, fc.array(line, { maxLength: 25 }), (planLine, lines) => {
      const world = new World()
      world.run(planLine)
      for (const one of lines) world.run(one)
      const calm = [
        'provider up',
        'prometheus up',
        'traffic rate=100 new=0% old=0% share=weight',
        'latency old=0.05 new=0.05',
        'probe new=ok',
        'dependency completed',
        'calendar open',
        'fleet free',
        'checks parity=pass objects=pass',
        'replicas old=10 new=15',
        'task / passed',
        'roles lead',
      ]
      // A person clears what only a person may clear; then nothing but sweeps.
      const again = ['retry', 'sweep 3', 'adopt', 'sweep']
      for (const one of [...calm, 'sweep 3', 'resume', ...again, ...again, 'resume', 'sweep 200']) world.run(one)
      const last = world.steps.at(-1)
      expect(last && isAtRest(last.after), JSON.stringify(last?.after)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('the same step twice gives the same, and leaves its input alone', () => {
  const world = new World()
  for (const one of ['sweep 6', 'traffic new=30%', 'sweep 4']) world.run(one)
  for (const { before } of world.steps) expect(() => deepFreeze(before)).not.toThrow()
  const again = new World()
  for (const one of ['sweep 6', 'traffic new=30%', 'sweep 4']) again.run(one)
  expect(again.steps).toEqual(world.steps)
})

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.freeze(value)
  for (const part of Object.values(value)) deepFreeze(part)
}
