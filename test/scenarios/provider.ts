import type { Effect } from '../../src/core/effect.ts'
import { missing, type TargetReading, type WriteReport } from '../../src/core/observation.ts'
import type { PlanTarget, Trial } from '../../src/core/plan.ts'
import { problem } from '../../src/core/problem.ts'

/** The provider of the transcripts: `down` refuses, `deaf` takes a write and forgets it. */
export class Provider {
  mode: 'up' | 'down' | 'deaf' = 'up'
  pending: string | null = null
  otherWriter: string | null = null
  /** By target: its weight, percent. A boomerang lies ready. */
  readonly weights: Record<string, number> = { lb: 0, gateway: 100 }
  /** Of `lb`; null: it is no name. */
  ttlSeconds: number | null = null
  trial: Trial | null = null
  private readonly reports: WriteReport[] = []

  read(targets: readonly PlanTarget[], atMs: number): Record<string, TargetReading> {
    return Object.fromEntries(targets.map(({ id }) => [id, this.readOne(id, atMs)]))
  }

  private readOne(id: string, atMs: number): TargetReading {
    if (this.mode === 'down') return { ...missing('unreachable', 'connection refused'), atMs }
    return {
      kind: 'weight',
      atMs,
      weightPercent: this.weights[id] ?? 0,
      ...(this.pending !== null && { pending: this.pending }),
      ...(id === 'lb' && this.ttlSeconds !== null && { ttlSeconds: this.ttlSeconds }),
      ...(id === 'lb' && this.trial !== null && { trial: this.trial }),
      ...(this.otherWriter !== null && { otherWriter: this.otherWriter }),
    }
  }

  /** Does the write, and tells it as a transcript does. */
  write({ targetId, weightPercent, ttlSeconds, trial, urgency }: Effect, atMs: number): string {
    if (this.mode === 'up') {
      this.weights[targetId] = weightPercent
      this.ttlSeconds = ttlSeconds ?? this.ttlSeconds
      if (targetId === 'lb') this.trial = trial
    }
    if (this.mode === 'down') {
      const refused = problem('TRAFFIC_UNREACHABLE', 'connection refused').toJSON()
      const told = { targetId, weightPercent, ttlSeconds, atMs }
      this.reports.push({ kind: 'failed', ...told, attempt: 1, problem: refused })
    }
    const to = targetId === 'lb' ? '' : ` to ${targetId}`
    const ttl = ttlSeconds === null ? '' : `, TTL ${ttlSeconds} s`
    const mode = trial === null ? '' : `, ${trial.kind}${trial.kind === 'mirror' ? ` ${trial.percent} %` : ''}`
    const trouble = this.mode === 'up' ? '' : `, provider ${this.mode}`
    return `  → write ${weightPercent} %${ttl}${mode}${to} (${urgency})${trouble}`
  }

  takeReports(): readonly WriteReport[] {
    return this.reports.splice(0)
  }
}
