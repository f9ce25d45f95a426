import type { Effect, Urgency } from '../../src/core/effect.ts'
import type { WriteReport } from '../../src/core/observation.ts'
import { problem } from '../../src/core/problem.ts'
import { type ActDeps, ScopeWriter } from '../../src/engine/act.ts'
import type { WeightChange, WriteResult } from '../../src/ports/traffic.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createFakeLog, createFakeRandom, settled } from '../../src/simulate/runtime.ts'

export type Results = ReadonlyMap<string, WriteResult>

/** A writer's call, which its test answers. */
interface Call {
  readonly changes: readonly WeightChange[]
  readonly answer: PromiseWithResolvers<Results>
  isOver: boolean
}

/** A writer whose every call waits for the test's answer. */
export class WriterBench {
  readonly clock = createFakeClock(0)
  readonly log = createFakeLog()
  readonly calls: Call[] = []
  readonly reports: WriteReport[] = []
  /** What the provider has, by target. */
  readonly weights = new Map<string, number>()
  leaseToken: number | null = 1
  /** When each target was last read. */
  readonly readAtMs = new Map<string, number>()
  readonly writer: ScopeWriter

  constructor(changes: Partial<ActDeps> & { readonly chance?: number } = {}) {
    const { chance = 0, ...deps } = changes
    this.writer = new ScopeWriter('zone', {
      write: (_, batch, signal) => {
        const call: Call = { changes: batch, answer: Promise.withResolvers(), isOver: false }
        signal.addEventListener('abort', () => {
          call.isOver = true
          call.answer.resolve(new Map())
        })
        this.calls.push(call)
        return call.answer.promise
      },
      takeTurn: async () => true,
      wasReadSince: (targetId, sinceMs) => (this.readAtMs.get(targetId) ?? Number.NEGATIVE_INFINITY) >= sinceMs,
      leaseToken: () => this.leaseToken,
      onWritten: (_, told) => void this.reports.push(...told),
      clock: this.clock,
      random: createFakeRandom(chance),
      log: this.log,
      ...deps,
    })
  }

  /** What each call asked for, e.g. `a=10 b=0!`, where `!` is a revert. */
  told(): readonly string[] {
    return this.calls.map(({ changes }) => changes.map(toldOf).join(' '))
  }

  /** Calls that wait for an answer. */
  open(): readonly Call[] {
    return this.calls.filter(({ isOver }) => !isOver)
  }

  /** `a=10` a step, `a=0!` a revert, `a` nothing. */
  async want(...texts: string[]): Promise<void> {
    const parts = texts.map((text) => text.split('=') as [string, string?])
    const effects = parts.flatMap(([targetId, weight]): Effect[] => {
      if (weight === undefined) return []
      const urgency: Urgency = weight.endsWith('!') ? 'revert' : 'forward'
      return [
        {
          kind: 'setWeight',
          targetId,
          weightPercent: Number.parseFloat(weight),
          ttlSeconds: null,
          trial: null,
          urgency,
        },
      ]
    })
    const ids = parts.map(([id]) => id)
    this.writer.want(ids, effects)
    await settled()
  }

  /** The provider does all of the call under way. */
  async apply(): Promise<void> {
    await this.answer((changes) => {
      for (const { targetId, weightPercent } of changes) this.weights.set(targetId, weightPercent)
      return new Map(changes.map(({ targetId }) => [targetId, { kind: 'applied' }]))
    })
  }

  /** The provider refuses all of the call under way. */
  async refuse(): Promise<void> {
    const refused: WriteResult = { kind: 'failed', problem: problem('TRAFFIC_REFUSED', 'no').toJSON() }
    await this.answer((changes) => new Map(changes.map(({ targetId }) => [targetId, refused])))
  }

  async answer(resultsOf: (changes: readonly WeightChange[]) => Results): Promise<void> {
    const [call] = this.open()
    if (!call) throw new Error('no call is under way')
    call.isOver = true
    call.answer.resolve(resultsOf(call.changes))
    await settled()
  }
}

function toldOf({ targetId, weightPercent, urgency }: WeightChange): string {
  return `${targetId}=${weightPercent}${urgency === 'revert' ? '!' : ''}`
}
