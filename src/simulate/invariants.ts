/** What must never happen, whatever the world does: each with the sentence that a failure prints. */
export const INVARIANTS = {
  'weights-sum': 'The shares of a place are between 0 and 100, and sum to 100.',
  'no-raise-without-passes':
    'A weight is raised only from one that was in force for its hold time, with every gate passing since, or, after a trial, none against it; or by a person.',
  'halted-never-rises': 'While anything holds a rollout, no raise is intended, and none is sent.',
  'closed-never-rises': 'While the calendar is closed, no raise is intended.',
  'hook-before-raise': 'No raise is intended before every hook before its step has passed.',
  'ttls-put-back': 'After all faults end, a rollout that has ended leaves the TTLs as they were.',
  'revert-not-overtaken': 'From the start of a revert until the next start, nothing but its safe weight lands.',
  'one-writer':
    'A scope is written by one shard alone, and never after a write of a newer lease of it, nor once one was given.',
  'fact-once':
    'Each fact is acted on once, by whoever decides about its workload, and in the end every one that was answered for.',
  'journal-and-state': 'The weights, phases and holds that the journal tells are those of the committed states.',
  'journal-chain': "The journal's chain of hashes verifies, and has what all shards committed, in that order.",
  'shards-swept': 'After all faults end, each shard is swept by one replica, and none has more than its share.',
  'hands-over': 'A replica that stops in order, and has always reached the store, leaves no lease behind.',
  'quota-kept': "Each call to a provider was allowed by its account's quota, which all replicas share.",
  'plan-kept': 'A rollout under way goes by the plan that it began with, whatever becomes of the config.',
  'revert-ends': 'After all faults end, no rollout is still reverting.',
  converges: 'After all faults end, each rollout comes to rest or to a hold that a person clears.',
  'targets-hold': 'After all faults end, the targets have the intended weight.',
  'late-raise-ends': 'A raise that lands when its revert is over, long after it was given up, is taken back.',
  'harm-is-caught': 'A NEW that fails half of its requests throughout never completes, unless a person advanced it.',
  'no-fault': 'Headgate meets no fault of its own.',
} as const satisfies Readonly<Record<string, string>>

export type InvariantName = keyof typeof INVARIANTS

export interface Violation {
  readonly invariant: InvariantName
  /** What happened, with its values. */
  readonly detail: string
  /** Since the world began. */
  readonly atSeconds: number
}

export type Report = (invariant: InvariantName, detail: string) => void
