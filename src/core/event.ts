import type { CheckReading } from './check.ts'
import type { Urgency } from './effect.ts'
import type { Verdict } from './gates/verdict.ts'
import type { Alert, CommandName } from './observation.ts'
import type { Trial } from './plan.ts'
import type { ProblemJson } from './problem.ts'
import type { Hold, HoldCause, PhaseName } from './state.ts'

/** What happened, for the journal. Every event says who and when; `explain` makes a sentence of each. */
export type HeadgateEvent = EventHead & EventBody

export interface EventHead {
  readonly atMs: number
  readonly runId: string
  /** null: about the whole service. */
  readonly workload: string | null
  /** A person's name, or `headgate`. */
  readonly actor: string
}

/** Gates that lost sight of what they judge, or see it again, and say the same of it. */
export interface SightChange {
  /** By gate: what it said before; null: nothing. */
  readonly from: Readonly<Record<string, Verdict['outcome'] | null>>
  readonly outcome: Verdict['outcome']
  readonly evidence: Verdict['evidence']
  readonly sentence: string
}

export type EventBody =
  | { readonly type: 'controller-started'; readonly version: string; readonly workloads: number }
  | { readonly type: 'controller-stopped'; readonly reason: string }
  | {
      readonly type: 'config-loaded'
      readonly hash: string
      readonly added: readonly string[]
      readonly removed: readonly string[]
    }
  | { readonly type: 'config-rejected'; readonly problems: readonly ProblemJson[] }
  | { readonly type: 'rollout-created' }
  | {
      readonly type: 'plan-pinned'
      readonly planHash: string
      readonly policy: string
      readonly steps: readonly { readonly weightPercent: number; readonly trial: Trial | null }[]
    }
  | {
      readonly type: 'phase-entered'
      readonly from: PhaseName
      readonly to: PhaseName
      readonly stepIndex: number | null
      readonly reason: string
    }
  | {
      readonly type: 'weight-intended'
      readonly fromPercent: number
      readonly toPercent: number
      readonly trial: Trial | null
      readonly urgency: Urgency
      readonly reason: string
      readonly evidence: readonly Verdict[]
    }
  | {
      readonly type: 'weight-reasserted'
      readonly foundPercents: readonly number[]
      readonly weightPercent: number
      readonly reason: string
    }
  | {
      readonly type: 'weight-applied'
      readonly targetId: string
      readonly weightPercent: number
      /** null: the TTL was left as it was. */
      readonly ttlSeconds: number | null
      readonly appliedAtMs: number
      readonly secondsSinceIntended: number
    }
  /** What the targets had before the rollout wrote anything is its weight now. */
  | {
      readonly type: 'weight-adopted'
      readonly weightPercent: number
      /** Where it goes on; null: in the bake. */
      readonly stepIndex: number | null
      readonly steps: number
      readonly found: readonly { readonly targetId: string; readonly weightPercent: number }[]
    }
  | { readonly type: 'weight-confirmed'; readonly weightPercent: number; readonly secondsSinceIntended: number }
  | {
      readonly type: 'weight-in-force'
      readonly weightPercent: number
      readonly settleSeconds: number
      readonly secondsSinceIntended: number
      readonly observedSharePercent: number | null
      readonly requests: number
    }
  | {
      readonly type: 'ttls-lowered'
      readonly targets: readonly {
        readonly targetId: string
        readonly fromSeconds: number
        readonly toSeconds: number
      }[]
      /** How long the old TTLs are waited out once the lowered ones are read back. */
      readonly waitSeconds: number
    }
  | {
      readonly type: 'ttls-restored'
      readonly targets: readonly {
        readonly targetId: string
        readonly beforeSeconds: number | null
        /** As it is read now: another one than before is somebody else's, and left to them. */
        readonly ttlSeconds: number | null
      }[]
    }
  | {
      readonly type: 'write-failed'
      readonly targetId: string
      readonly weightPercent: number
      readonly attempt: number
      readonly problem: ProblemJson
    }
  | { readonly type: 'hold-added'; readonly hold: Hold; readonly evidence: readonly Verdict[] }
  | { readonly type: 'hold-removed'; readonly cause: HoldCause; readonly reason: string; readonly heldSeconds: number }
  | { readonly type: 'verdict-changed'; readonly from: Verdict['outcome'] | null; readonly verdict: Verdict }
  | { readonly type: 'sight-changed'; readonly changes: readonly SightChange[] }
  | {
      readonly type: 'revert-started'
      readonly fromPercent: number
      readonly toPercent: number
      readonly reason: string
      readonly evidence: readonly Verdict[]
    }
  | { readonly type: 'revert-refused'; readonly reason: string; readonly evidence: readonly Verdict[] }
  | { readonly type: 'revert-confirmed'; readonly weightPercent: number; readonly secondsSinceStarted: number }
  | { readonly type: 'command-done'; readonly factId: string; readonly command: CommandName; readonly reason: string }
  | {
      readonly type: 'command-refused'
      readonly factId: string
      readonly command: CommandName
      readonly reason: string
      readonly problem: ProblemJson
    }
  | {
      readonly type: 'alert-taken'
      readonly factId: string
      readonly alert: Alert
      readonly status: 'firing' | 'resolved'
      readonly action: 'halt' | 'revert'
      /** What came of it, one clause. */
      readonly outcome: string
    }
  | {
      readonly type: 'alert-unmatched'
      readonly factId: string
      readonly alert: Alert
      readonly labels: Readonly<Record<string, string>>
      readonly reason: string
    }
  | { readonly type: 'blind-too-long'; readonly seconds: number; readonly detail: string }
  | {
      readonly type: 'share-stuck'
      readonly weightPercent: number
      readonly observedSharePercent: number | null
      readonly seconds: number
      readonly likelyCause: string
    }
  | { readonly type: 'clock-gap'; readonly seconds: number }
  | {
      readonly type: 'check-changed'
      readonly check: string
      readonly from: CheckReading['outcome'] | null
      readonly to: CheckReading['outcome']
      readonly sentence: string
      readonly hint: string | null
    }
  | { readonly type: 'task-started'; readonly task: string; readonly what: string }
  | {
      readonly type: 'task-ended'
      readonly task: string
      readonly outcome: 'passed' | 'failed'
      readonly seconds: number
      readonly detail: string
    }
  /** OLD was quiet for the whole drain time. */
  | { readonly type: 'old-quiet'; readonly seconds: number; readonly requests: number; readonly allowed: number }
  /** A request came to OLD after a quiet time that counted. */
  | { readonly type: 'old-not-quiet'; readonly requests: number; readonly quietSeconds: number }
  | { readonly type: 'rollout-closed'; readonly reason: string }

export type EventType = EventBody['type']

/** A journal row: an event with its place in the order of all. */
export interface JournalRow {
  /** Rises by one with each event, from 1. */
  readonly seq: number
  readonly event: HeadgateEvent
}

/** How loud an event is: `page` wakes somebody, `warn` is looked at in the morning. */
export type Severity = 'info' | 'warn' | 'page'
