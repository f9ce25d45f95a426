import type { CalendarReading } from '../../src/core/calendar.ts'
import type { CheckReading } from '../../src/core/check.ts'
import type { TaskRequest } from '../../src/core/effect.ts'
import type { FleetReading, Observation, ReplicasReading } from '../../src/core/observation.ts'
import { missing } from '../../src/core/observation.ts'
import type { Plan, Sides } from '../../src/core/plan.ts'
import type { TaskReading } from '../../src/core/task.ts'

type Outcome = CheckReading['outcome']

/** What a transcript's world shows beside traffic and metrics. */
export class Sight {
  private calendar: CalendarReading | null = null
  private fleet: FleetReading = { waitsFor: null, verdicts: [] }
  private readonly checks = new Map<string, Outcome>()
  private replicas: Sides<ReplicasReading> | null = null
  /** What tasks come to, by a part of their key; the others run on. */
  private readonly tasks: { readonly part: string; readonly kind: 'passed' | 'failed' }[] = []
  private readonly asked = new Set<string>()
  /** Whether what was not looked at yet passes by itself: so that most transcripts need not say it. */
  private areChecksQuick = true

  readonly handlers: Readonly<Record<string, (args: string[]) => void>> = {
    calendar: ([mode, ...words]) => {
      const isOpen = mode === 'open'
      this.calendar = mode === 'none' ? null : { isOpen, sentence: words.join(' ') || `${mode}`, changesAtMs: null }
    },
    fleet: ([mode, ...words]) => {
      const sentence = words.join(' ')
      const outcome = mode === 'halt' || mode === 'blind' ? mode : null
      this.fleet = {
        waitsFor: mode === 'waits' ? sentence : null,
        verdicts: outcome === null ? [] : [{ gate: 'fleet', outcome, evidence: {}, sentence }],
      }
    },
    checks: (args) => {
      for (const arg of args) {
        const [id = '', outcome] = arg.split('=')
        if (id === 'slow') this.areChecksQuick = false
        else this.checks.set(id, outcome as Outcome)
      }
    },
    replicas: (args) => {
      const of = (side: string) =>
        args.find((arg) => arg.startsWith(`${side}=`))?.slice(side.length + 1) ?? 'unreadable'
      this.replicas = { old: replicasOf(of('old')), new: replicasOf(of('new')) }
    },
    task: ([part = '', kind]) => {
      this.tasks.unshift({ part, kind: kind as 'passed' })
    },
  }

  of(plan: Plan, nowMs: number): Pick<Observation, 'calendar' | 'fleet' | 'checks' | 'replicas' | 'tasks'> {
    return {
      calendar: this.calendar,
      fleet: this.fleet,
      checks: Object.fromEntries(plan.checks.flatMap(({ id }) => this.reading(id, nowMs))),
      replicas: plan.capacity === null ? null : this.replicas,
      tasks: Object.fromEntries([...this.asked].map((key) => [key, this.outcomeOf(key, nowMs)])),
    }
  }

  /** Begins a task; a line of the transcript, or none when it runs already. */
  begin({ key, spec }: TaskRequest): string | null {
    if (this.asked.has(key)) return null
    this.asked.add(key)
    return `→ task ${key} (${spec.kind})`
  }

  /** As after a crash: whoever ran tasks knows nothing of them. */
  forget(): void {
    this.asked.clear()
  }

  private reading(id: string, atMs: number): [string, CheckReading][] {
    const outcome = this.checks.get(id) ?? (this.areChecksQuick ? 'pass' : null)
    if (outcome === null) return []
    return [[id, { outcome, sentence: `as the transcript says`, hint: null, atMs }]]
  }

  private outcomeOf(key: string, atMs: number): TaskReading {
    const found = this.tasks.find(({ part }) => key.includes(part))
    return found ? { kind: found.kind, atMs, seconds: 3, detail: 'as told' } : { kind: 'running', detail: 'at it' }
  }
}

function replicasOf(text: string): ReplicasReading {
  if (text === 'unreadable') return missing('unreachable', 'the API server does not answer')
  const [ready = '', wanted = ready] = text.split('/')
  return { kind: 'replicas', ready: Number(ready), wanted: Number(wanted), atMs: 0 }
}
