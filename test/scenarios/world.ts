import type { Effect } from '../../src/core/effect.ts'
import type { HeadgateEvent } from '../../src/core/event.ts'
import { explain, severityOf } from '../../src/core/explain.ts'
import { initialState } from '../../src/core/initial.ts'
import {
  COMMANDS,
  type CommandName,
  type Counts,
  type Fact,
  type Missing,
  missing,
  type Observation,
  type ProbeOutcome,
  type SliReading,
  type TargetReading,
  type WriteReport,
} from '../../src/core/observation.ts'
import type { Gate, Plan, Sides } from '../../src/core/plan.ts'
import { problem } from '../../src/core/problem.ts'
import type { PhaseName, RolloutState } from '../../src/core/state.ts'
import { step } from '../../src/core/step.ts'
import { SliWindows } from '../../src/engine/rings.ts'

const START_MS = Date.UTC(2026, 0, 5, 9, 0, 0)
const SWEEP_SECONDS = 10

export interface PlayedStep {
  readonly before: RolloutState
  readonly after: RolloutState
  readonly effects: readonly Effect[]
  readonly events: readonly HeadgateEvent[]
  readonly observation: Observation
  /** What the target had when the step was made. */
  readonly weightPercent: number
}

/**
 * A little world around `step`, for transcripts: one workload on one target, steady traffic, a provider that answers at
 * once. Each command of a transcript changes it; each sweep prints what the step told and asked for.
 */
export class World {
  private nowMs = START_MS
  private plan: Plan
  private state: RolloutState
  private readonly windows = new SliWindows([60, 300])
  private readonly out: string[] = []
  private facts: Fact[] = []
  private writes: WriteReport[] = []
  private weightPercent = 0
  private sharePercent: number | null = null
  private provider: 'up' | 'down' | 'deaf' = 'up'
  private source: 'up' | Missing = 'up'
  private probe: Sides<ProbeOutcome | null> = { old: null, new: null }
  private rate = 100
  private badPercent = { old: 0, new: 0 }
  private dependency: PhaseName | null = null
  private factCount = 0
  /** Every step so far, for tests of what must hold in each. */
  readonly steps: PlayedStep[] = []

  constructor() {
    this.plan = planOf({})
    this.state = initialState('checkout', 'RUN', START_MS)
  }

  /** Runs one line of a transcript; gives what is to be printed below it. */
  run(line: string): string {
    const [verb = '', ...rest] = line.split(/\s+/)
    const handler =
      this.handlers[verb] ?? (COMMANDS.includes(verb as CommandName) ? () => this.say(verb as CommandName, rest) : null)
    if (!handler) throw new Error(`no such command in a transcript: ${verb}`)
    handler(rest)
    return this.out.splice(0).join('\n')
  }

  private readonly handlers: Readonly<Record<string, (args: string[]) => void>> = {
    plan: (args) => {
      this.plan = planOf(options(args))
    },
    traffic: (args) => {
      const given = options(args)
      if (given['rate'] !== undefined) this.rate = Number(given['rate'])
      if (given['old'] !== undefined) this.badPercent.old = Number.parseFloat(given['old'])
      if (given['new'] !== undefined) this.badPercent.new = Number.parseFloat(given['new'])
      if (given['share'] !== undefined)
        this.sharePercent = given['share'] === 'weight' ? null : Number.parseFloat(given['share'])
    },
    probe: (args) => {
      const given = options(args)
      this.probe = { old: probeOutcome(given['old']), new: probeOutcome(given['new']) }
    },
    provider: ([mode]) => {
      this.provider = mode as 'up'
    },
    prometheus: ([mode, ...detail]) => {
      this.source =
        mode === 'up' ? 'up' : missing('timeout', detail.join(' ') || 'prometheus did not answer within 5 s')
    },
    foreign: ([weight]) => {
      this.weightPercent = Number.parseFloat(weight ?? '')
    },
    dependency: ([phase]) => {
      this.dependency = phase === 'none' ? null : (phase as PhaseName)
    },
    clock: ([shift]) => {
      this.nowMs += Number.parseFloat(shift ?? '') * 1000
    },
    sweep: ([count = '1']) => {
      for (let n = Number(count); n > 0; n--) this.sweep()
    },
    // As in the engine: an urgent step sees the newest readings again.
    urgent: () => this.think(this.newest),
    show: () => this.show(),
  }

  private say(command: CommandName, words: string[]): void {
    const force = words[0] === '--force'
    const reason = words.slice(force ? 1 : 0).join(' ') || 'because'
    this.facts.push({
      id: `f${++this.factCount}`,
      kind: 'command',
      workload: 'checkout',
      command,
      reason,
      actor: 'ann',
      receivedAtMs: this.nowMs,
      force,
    })
  }

  private newest: Observation['slis'] = {}

  private sweep(): void {
    this.nowMs += SWEEP_SECONDS * 1000
    this.newest = { availability: this.count() }
    this.think(this.newest)
  }

  /** One tick of steady traffic, split by the weight that the target really has. */
  private count(): SliReading {
    if (this.source !== 'up') return this.source
    const share = (this.sharePercent ?? this.weightPercent) / 100
    const side = (part: number, badPercent: number): Counts => {
      const total = Math.round(this.rate * SWEEP_SECONDS * part)
      return { total, bad: Math.round((total * badPercent) / 100) }
    }
    const tick = { old: side(1 - share, this.badPercent.old), new: side(share, this.badPercent.new) }
    this.windows.add('old', this.nowMs, tick.old)
    this.windows.add('new', this.nowMs, tick.new)
    const sum = (group: string, seconds: number) =>
      this.windows.sum(group, seconds, this.nowMs, this.state.judgeSinceMs) ?? missing('empty', 'none')
    const windows = this.windows.seconds.map((seconds) => ({
      seconds,
      counts: { old: sum('old', seconds), new: sum('new', seconds) },
    }))
    return {
      kind: 'counts',
      sinceMs: this.nowMs - SWEEP_SECONDS * 1000,
      atMs: this.nowMs,
      tick,
      windows,
      latencies: null,
      dispersion: null,
    }
  }

  private think(slis: Observation['slis']): void {
    const { state, plan, nowMs } = this
    const hasProbe = plan.probes.length > 0
    const observation: Observation = {
      facts: this.facts.splice(0),
      targets: { lb: this.read() },
      writes: this.writes.splice(0),
      slis: plan.slis.length > 0 ? slis : {},
      probes: hasProbe ? { health: { atMs: nowMs, outcome: this.probe } } : {},
      dependencies: Object.fromEntries(plan.after.map((name) => [name, this.dependency])),
    }
    const result = step({ state, plan, observation, nowMs, sweepSeconds: SWEEP_SECONDS })
    this.steps.push({
      before: state,
      after: result.state,
      effects: result.effects,
      events: result.events,
      observation,
      weightPercent: this.weightPercent,
    })
    // What is stored is JSON: nothing may depend on more.
    this.state = JSON.parse(JSON.stringify(result.state)) as RolloutState
    for (const event of result.events) {
      const mark = { info: ' ', warn: '!', page: '‼' }[severityOf(event)]
      this.print(`${mark} ${event.actor === 'headgate' ? '' : `${event.actor}: `}${explain(event)}`)
    }
    for (const effect of result.effects) this.write(effect)
  }

  private read(): TargetReading {
    if (this.provider === 'down') return { ...missing('unreachable', 'connection refused'), atMs: this.nowMs }
    return { kind: 'weight', atMs: this.nowMs, weightPercent: this.weightPercent }
  }

  private write({ targetId, weightPercent, urgency }: Effect): void {
    this.print(
      `  → write ${weightPercent} % (${urgency})${this.provider === 'up' ? '' : `, provider ${this.provider}`}`,
    )
    if (this.provider === 'up') this.weightPercent = weightPercent
    if (this.provider !== 'down') return
    const refused = problem('TRAFFIC_UNREACHABLE', 'connection refused').toJSON()
    this.writes.push({ kind: 'failed', targetId, weightPercent, atMs: this.nowMs, attempt: 1, problem: refused })
  }

  private show(): void {
    const { phase, holds, intendedWeightPercent, heldMs, inForceAtMs } = this.state
    const where = phase.name === 'stepping' ? `stepping ${phase.stepIndex + 1}/${this.plan.steps.length}` : phase.name
    const held = inForceAtMs === null ? 'not in force' : `held ${heldMs / 1000} s`
    this.out.push(
      `= ${where}, intended ${intendedWeightPercent} %, target ${this.weightPercent} %, ${held}, holds: ${holds.map(({ cause }) => cause).join(' ') || 'none'}`,
    )
  }

  private print(text: string): void {
    this.out.push(`${String((this.nowMs - START_MS) / 1000).padStart(5)}s ${text}`)
  }
}

function options(args: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(args.map((arg) => arg.split('=') as [string, string]))
}

function probeOutcome(text: string | undefined): ProbeOutcome | null {
  if (text === undefined) return null
  return text === 'ok'
    ? { kind: 'passed', seconds: 0.02 }
    : { kind: 'failed', seconds: 0.02, why: text.replaceAll('_', ' ') }
}

/** `steps=10/20,50/20!,100/20` (weight/holdSeconds, `!` needs approval) and single settings by their plan names. */
export function planOf(given: Readonly<Record<string, string>>): Plan {
  const number = (key: string, usual: number) => (given[key] === undefined ? usual : Number(given[key]))
  const steps = (given['steps'] ?? '10/30,50/30,100/30').split(',').map((text) => {
    const [, weight, hold, mark] = /^([\d.]+)\/(\d+)(!?)$/.exec(text) ?? []
    return { weightPercent: Number(weight), holdSeconds: Number(hold), approval: mark === '!' }
  })
  const burn: Gate = {
    kind: 'burnRate',
    id: 'burnRate/availability',
    sli: 'availability',
    pairs: [
      { longSeconds: 300, shortSeconds: 60, factor: 14.4, then: given['worst'] === 'halt' ? 'halt' : 'revert' },
      { longSeconds: 300, shortSeconds: 60, factor: 6, then: 'halt' },
    ],
  }
  const probeGate: Gate = { kind: 'probe', id: 'probe/health', probe: 'health', failures: 3, passes: 3, then: 'revert' }
  const hasProbe = given['probe'] === 'yes'
  const hasSli = given['sli'] !== 'no'
  return {
    hash: 'plan1',
    migration: 'm',
    workload: 'checkout',
    clusters: { old: 'blue', new: 'green' },
    policy: 'test',
    after: given['after'] ? [given['after']] : [],
    steps,
    safeWeightPercent: number('safe', 0),
    bakeSeconds: number('bake', 60),
    drainSeconds: 0,
    minRequests: number('minRequests', 100),
    blindAfterSeconds: number('blindAfter', 60),
    drift: given['drift'] === 'correct' ? 'correct' : 'hold',
    shareTolerancePercent: given['share'] === 'off' ? null : number('share', 5),
    stuckAfterSeconds: number('stuckAfter', 300),
    gates: [...(hasSli ? [burn] : []), ...(hasProbe ? [probeGate] : [])],
    targets: [{ id: 'lb', kind: 'fake', scope: 'fake', settings: {}, settleSeconds: number('settle', 0) }],
    slis: hasSli
      ? [
          {
            name: 'availability',
            source: 'fake',
            objectivePercent: 99,
            labels: { cluster: 'cluster', workload: 'service' },
            measure: { kind: 'selector', total: 'a', bad: 'b' },
          },
        ]
      : [],
    probes: hasProbe
      ? [
          {
            name: 'health',
            url: 'http://x/',
            method: 'GET',
            address: { old: null, new: 'x' },
            expectStatus: [200],
            expectBody: null,
            slowerThanSeconds: 5,
            certificateDays: null,
          },
        ]
      : [],
  }
}
