import type { Effect, TaskRequest } from '../../src/core/effect.ts'
import type { HeadgateEvent } from '../../src/core/event.ts'
import { explain, severityOf } from '../../src/core/explain.ts'
import { initialState } from '../../src/core/initial.ts'
import {
  COMMANDS,
  type CommandName,
  type Counts,
  type Latencies,
  type Missing,
  missing,
  type Observation,
  type ProbeOutcome,
  type SliReading,
  type WorkloadFact,
} from '../../src/core/observation.ts'
import type { Plan, Side, Sides } from '../../src/core/plan.ts'
import type { PhaseName, RolloutState } from '../../src/core/state.ts'
import { step } from '../../src/core/step.ts'
import { SliWindows } from '../../src/engine/rings.ts'
import { BOUNDS_SECONDS, planOf, SLOWER_THAN_SECONDS } from './plans.ts'
import { Provider } from './provider.ts'
import { Sight } from './sight.ts'

export { planOf }

const START_MS = Date.UTC(2026, 0, 5, 9, 0, 0)
const SWEEP_SECONDS = 10

export interface PlayedStep {
  readonly before: RolloutState
  readonly after: RolloutState
  readonly effects: readonly Effect[]
  readonly events: readonly HeadgateEvent[]
  readonly tasks: readonly TaskRequest[]
  readonly observation: Observation
  readonly plan: Plan
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
  private readonly windows = { availability: new SliWindows([60, 300]), latency: new SliWindows([60, 300]) }
  private readonly out: string[] = []
  private facts: WorkloadFact[] = []
  private sharePercent: number | null = null
  private readonly provider = new Provider()
  private source: 'up' | Missing = 'up'
  private probe: Sides<ProbeOutcome | null> = { old: null, new: null }
  private rate = 100
  private badPercent = { old: 0, new: 0 }
  private meanSeconds = { old: 0.05, new: 0.05 }
  private hasOldSeries = true
  private hasBuckets = true
  private dependency: PhaseName | null = null
  private factCount = 0
  private readonly sight = new Sight()
  private roles: readonly string[] = []
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
      this.handlers[verb] ??
      this.sight.handlers[verb] ??
      (COMMANDS.includes(verb as CommandName) ? () => this.say(verb as CommandName, rest) : null)
    if (!handler) throw new Error(`no such command in a transcript: ${verb}`)
    handler(rest)
    return this.out.splice(0).join('\n')
  }

  private get weightPercent(): number {
    return this.provider.weights['lb'] ?? 0
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
    latency: (args) => {
      const given = options(args)
      this.meanSeconds = { old: Number(given['old']), new: Number(given['new']) }
    },
    probe: (args) => {
      const given = options(args)
      this.probe = { old: probeOutcome(given['old']), new: probeOutcome(given['new']) }
    },
    provider: ([mode]) => {
      this.provider.mode = mode as 'up'
    },
    prometheus: ([mode, ...detail]) => {
      this.source =
        mode === 'up' ? 'up' : missing('timeout', detail.join(' ') || 'prometheus did not answer within 5 s')
    },
    buckets: ([mode]) => {
      this.hasBuckets = mode !== 'gone'
    },
    oldSeries: ([mode]) => {
      this.hasOldSeries = mode !== 'gone'
    },
    foreign: ([weight, target = 'lb', ...writer]) => {
      this.provider.weights[target] = Number.parseFloat(weight ?? '')
      this.provider.otherWriter = writer.length > 0 ? writer.join(' ') : null
    },
    foreignTrial: () => {
      this.provider.trial = null
    },
    ttl: ([seconds]) => {
      this.provider.ttlSeconds = Number(seconds)
    },
    pending: (words) => {
      this.provider.pending = words[0] === 'nothing' ? null : words.join(' ')
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
    roles: (roles) => {
      this.roles = roles
    },
    // alert firing|resolved halt|revert NAME [MINUTE that it began at] [old|new|neither]
    alert: ([status, action, name = 'Errors', minute = '0', concerns = 'new']) => {
      this.facts.push({
        id: `f${++this.factCount}`,
        kind: 'alert',
        workload: 'checkout',
        alert: { fingerprint: name, startsAtMs: START_MS + Number(minute) * 60_000, sentence: name },
        status: status as 'firing',
        action: action as 'halt',
        concerns: concerns === 'neither' ? null : (concerns as 'new'),
        receivedAtMs: this.nowMs,
      })
    },
    crash: () => this.sight.forget(),
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
      roles: this.roles,
    })
  }

  private newest: Observation['slis'] = {}

  private sweep(): void {
    this.nowMs += SWEEP_SECONDS * 1000
    const totals = this.requests()
    const latencies = { boundsSeconds: BOUNDS_SECONDS, slower: this.bySide((side) => this.slower(side, totals[side])) }
    this.newest = {
      availability: this.count('availability', totals, null),
      ...(this.plan.slis.some(({ name }) => name === 'latency') && {
        latency: this.count('latency', totals, latencies),
      }),
    }
    this.think(this.newest)
  }

  /** Requests of one tick of steady traffic, split by the weight that the target really has. */
  private requests(): Sides<number> {
    const share = (this.sharePercent ?? this.weightPercent) / 100
    const part = (of: number) => Math.round(this.rate * SWEEP_SECONDS * of)
    const { trial } = this.provider
    // Copies come on top: their originals are still answered by OLD.
    const copies = trial?.kind === 'mirror' ? part(trial.percent / 100) : 0
    return { old: part(1 - share), new: part(share) + copies }
  }

  private bySide<T>(of: (side: Side) => T): Sides<T> {
    return { old: of('old'), new: of('new') }
  }

  /** Latencies fall off exponentially: the mean alone says how many are slower than each boundary. */
  private slower(side: Side, total: number): readonly number[] {
    return BOUNDS_SECONDS.map((bound) => Math.round(total * Math.exp(-bound / this.meanSeconds[side])))
  }

  private bad(side: Side, total: number, latencies: Latencies | null): number {
    if (latencies === null) return Math.round((total * this.badPercent[side]) / 100)
    return latencies.slower[side]?.[BOUNDS_SECONDS.indexOf(SLOWER_THAN_SECONDS)] ?? 0
  }

  private count(sli: 'availability' | 'latency', totals: Sides<number>, latencies: Latencies | null): SliReading {
    if (this.source !== 'up') return this.source
    const tick = this.bySide((side): Counts => ({ total: totals[side], bad: this.bad(side, totals[side], latencies) }))
    const windows = this.windows[sli]
    windows.add('old', this.nowMs, tick.old)
    windows.add('new', this.nowMs, tick.new)
    const sum = (group: string, seconds: number) =>
      windows.sum(group, seconds, this.nowMs, this.state.judgeSinceMs) ?? missing('empty', 'none')
    return {
      kind: 'counts',
      sinceMs: this.nowMs - SWEEP_SECONDS * 1000,
      atMs: this.nowMs,
      tick: this.hasOldSeries ? tick : { ...tick, old: missing('empty', 'no series of old') },
      windows: windows.seconds.map((seconds) => ({
        seconds,
        counts: this.bySide((side) => sum(side, seconds)),
      })),
      latencies: this.hasBuckets ? latencies : null,
      dispersion: null,
    }
  }

  private think(slis: Observation['slis']): void {
    const { state, plan, nowMs } = this
    const hasProbe = plan.probes.length > 0
    const observation: Observation = {
      facts: this.facts.splice(0),
      targets: this.provider.read(plan.targets, nowMs),
      writes: this.provider.takeReports(),
      slis: plan.slis.length > 0 ? slis : {},
      probes: hasProbe ? { health: { atMs: nowMs, outcome: this.probe } } : {},
      dependencies: Object.fromEntries(plan.after.map((name) => [name, this.dependency])),
      ...this.sight.of(plan, nowMs),
    }
    const result = step({ state, plan, observation, nowMs, sweepSeconds: SWEEP_SECONDS })
    this.steps.push({
      before: state,
      after: result.state,
      effects: result.effects,
      events: result.events,
      tasks: result.tasks,
      plan,
      observation,
      weightPercent: this.weightPercent,
    })
    // What is stored is JSON: nothing may depend on more.
    this.state = JSON.parse(JSON.stringify(result.state)) as RolloutState
    for (const event of result.events) {
      const mark = { info: ' ', warn: '!', page: '‼' }[severityOf(event)]
      this.print(`${mark} ${event.actor === 'headgate' ? '' : `${event.actor}: `}${explain(event)}`)
    }
    for (const effect of result.effects) this.print(this.provider.write(effect, nowMs))
    for (const task of result.tasks) {
      const begun = this.sight.begin(task)
      if (begun !== null) this.print(begun)
    }
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
