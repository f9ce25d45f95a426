/** What a metric is. Units are base units: seconds, and percent where the words of Headgate say percent. */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly unit: '' | 'percent' | 'seconds' | 'seconds since 1970'
  readonly help: string
  /** Upper bounds of a histogram's buckets, in its unit. */
  readonly buckets?: readonly number[]
}

/** Every metric of Headgate's own. `docs/metrics.md` lists the same; a test compares the two and the registry. */
export const METRICS = {
  headgate_build_info: {
    type: 'gauge',
    labels: ['version'],
    unit: '',
    help: 'Always 1; the label says which version runs',
  },

  headgate_weight_percent: {
    type: 'gauge',
    labels: ['migration', 'workload', 'kind'],
    unit: 'percent',
    help: 'Share sent to NEW: intended, confirmed by the provider, in-force for clients too, and observed in requests; one that is not known is absent',
  },
  headgate_phase: {
    type: 'gauge',
    labels: ['migration', 'workload', 'phase'],
    unit: '',
    help: '1 for the phase that the workload is in',
  },
  headgate_phase_entered_timestamp_seconds: {
    type: 'gauge',
    labels: ['migration', 'workload'],
    unit: 'seconds since 1970',
    help: 'When the workload entered its phase',
  },
  headgate_hold: {
    type: 'gauge',
    labels: ['migration', 'workload', 'cause'],
    unit: '',
    help: '1 for each hold that is in force',
  },
  headgate_gate_outcome: {
    type: 'gauge',
    labels: ['migration', 'workload', 'gate', 'outcome'],
    unit: '',
    help: '1 for the newest outcome of the gate',
  },

  headgate_rollout_info: {
    type: 'gauge',
    labels: ['migration', 'workload', 'policy', 'run_id'],
    unit: '',
    help: 'Always 1; the labels name the policy and the migration run',
  },
  headgate_hold_since_timestamp_seconds: {
    type: 'gauge',
    labels: ['migration', 'workload', 'cause'],
    unit: 'seconds since 1970',
    help: 'When a hold that is in force began',
  },
  headgate_attention: {
    type: 'gauge',
    labels: ['migration', 'workload', 'about'],
    unit: '',
    help: '1 while a person should look: blind for too long, a share that is stuck, a proof that only a person can replace',
  },
  headgate_step: {
    type: 'gauge',
    labels: ['migration', 'workload'],
    unit: '',
    help: 'The step that the workload is at, from 1; absent in other phases than stepping',
  },
  headgate_steps: {
    type: 'gauge',
    labels: ['migration', 'workload'],
    unit: '',
    help: 'Steps of its plan',
  },
  headgate_least_seconds_left: {
    type: 'gauge',
    labels: ['migration', 'workload'],
    unit: 'seconds',
    help: 'Holds, bake and drain of its plan that are still to come: the least time until it is completed; absent once it reverts or is cancelled',
  },
  headgate_decisions_total: {
    type: 'counter',
    labels: ['migration', 'workload', 'decision'],
    unit: '',
    help: 'What this process decided about the workload',
  },

  headgate_sli_requests_total: {
    type: 'counter',
    labels: ['migration', 'workload', 'sli', 'side', 'outcome'],
    unit: '',
    help: 'What OLD and NEW served of the workload since its first step, as the SLI counts it: all of it, and the bad part',
  },
  headgate_sli_objective_percent: {
    type: 'gauge',
    labels: ['migration', 'workload', 'sli'],
    unit: 'percent',
    help: 'Share of good events promised; absent for a value',
  },
  headgate_latency_seconds: {
    type: 'gauge',
    labels: ['migration', 'workload', 'gate', 'side', 'quantile'],
    unit: 'seconds',
    help: 'Latency at a quantile, OLD since the first tick, NEW since the weight came in force; no gate goes by it',
  },
  headgate_evidence: {
    type: 'gauge',
    labels: ['migration', 'workload', 'gate', 'test'],
    unit: '',
    help: 'What a test of a gate has gathered: evidence against NEW, proof for the next weight, or a value',
  },
  headgate_evidence_limit: {
    type: 'gauge',
    labels: ['migration', 'workload', 'gate', 'test'],
    unit: '',
    help: 'Where the test speaks up: it halts, reverts, or lets the next weight through',
  },
  headgate_budget_spent_percent: {
    type: 'gauge',
    labels: ['migration', 'workload', 'gate'],
    unit: 'percent',
    help: "What the migration itself has spent of 30 days' error budget",
  },
  headgate_budget_limit_percent: {
    type: 'gauge',
    labels: ['migration', 'workload', 'gate', 'outcome'],
    unit: 'percent',
    help: 'What may be spent before the gate halts or reverts',
  },
  headgate_check: {
    type: 'gauge',
    labels: ['migration', 'workload', 'check', 'outcome'],
    unit: '',
    help: '1 for the newest outcome of a check, until the workload has ended',
  },
  headgate_tasks: {
    type: 'gauge',
    labels: ['migration', 'workload', 'outcome'],
    unit: '',
    help: 'Hooks, warm-ups and scalings of this round, by how they ended',
  },
  headgate_replicas: {
    type: 'gauge',
    labels: ['migration', 'workload', 'side', 'kind'],
    unit: '',
    help: "Replicas of the workload's object: ready, and wanted",
  },

  headgate_wave_workloads: {
    type: 'gauge',
    labels: ['migration', 'wave', 'state'],
    unit: '',
    help: 'Workloads of the wave by where they stand',
  },
  headgate_breaker_tripped: {
    type: 'gauge',
    labels: ['migration'],
    unit: '',
    help: '1: reverts keep new workloads from starting; absent without a breaker',
  },
  headgate_signal_value: {
    type: 'gauge',
    labels: ['migration', 'signal', 'side'],
    unit: '',
    help: 'The newest value of a cluster signal, in its own unit',
  },
  headgate_signal_outcome: {
    type: 'gauge',
    labels: ['migration', 'signal', 'outcome'],
    unit: '',
    help: '1 for the newest outcome of a cluster signal',
  },
  headgate_quota_calls_left: {
    type: 'gauge',
    labels: ['account', 'use'],
    unit: '',
    help: "Calls that may be made at once within the account's quota: by reverts, and by all else",
  },
  headgate_quota_calls_burst: {
    type: 'gauge',
    labels: ['account', 'use'],
    unit: '',
    help: 'Calls that may be made at once after a pause',
  },
  headgate_quota_waiting: {
    type: 'gauge',
    labels: ['account', 'use'],
    unit: '',
    help: 'Calls that wait for the quota',
  },

  headgate_sweep_seconds: {
    type: 'histogram',
    labels: [],
    unit: 'seconds',
    help: 'Duration of a sweep, from the load to the end of its commit',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  headgate_sweeps_total: {
    type: 'counter',
    labels: ['outcome'],
    unit: '',
    help: 'Sweeps by how they ended',
  },
  headgate_last_sweep_timestamp_seconds: {
    type: 'gauge',
    labels: ['shard'],
    unit: 'seconds since 1970',
    help: 'When the newest sweep of a shard that this replica has was committed; 0: none yet',
  },
  headgate_shard_held: {
    type: 'gauge',
    labels: ['shard'],
    unit: '',
    help: '1: this replica has the lease of the shard, and decides; 0: it has not',
  },
  headgate_call_seconds: {
    type: 'histogram',
    labels: ['kind', 'name'],
    unit: 'seconds',
    help: 'Duration of a call to something outside, failed ones too',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  headgate_call_errors_total: {
    type: 'counter',
    labels: ['kind', 'name'],
    unit: '',
    help: 'Calls to something outside that failed',
  },
  headgate_events_total: {
    type: 'counter',
    labels: ['type'],
    unit: '',
    help: 'Events that were committed to the journal by this process',
  },
  headgate_revert_seconds: {
    type: 'histogram',
    labels: [],
    unit: 'seconds',
    help: "From a revert's decision until every target was read back at the safe weight",
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900],
  },
  headgate_write_to_applied_seconds: {
    type: 'histogram',
    labels: [],
    unit: 'seconds',
    help: "From the intention of a weight until a target's provider acknowledged it",
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900],
  },
  headgate_write_to_confirm_seconds: {
    type: 'histogram',
    labels: [],
    unit: 'seconds',
    help: 'From the intention of a weight until every target was read back to have it',
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900],
  },
  headgate_write_to_in_force_seconds: {
    type: 'histogram',
    labels: [],
    unit: 'seconds',
    help: 'From the intention of a weight until it was in force: confirmed, propagated, TTL over, and seen in the observed share',
    buckets: [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
  },
  headgate_notifications_total: {
    type: 'counter',
    labels: ['channel', 'outcome'],
    unit: '',
    help: 'Tries to tell a channel: accepted, later (tried again), or refused (given up)',
  },
  headgate_spans_total: {
    type: 'counter',
    labels: ['outcome'],
    unit: '',
    help: 'Spans of traces: exported, refused by the receiver, or dropped, as there was no room or time for them',
  },
  headgate_config_reload_ok: {
    type: 'gauge',
    labels: [],
    unit: '',
    help: '1: the newest config was taken; 0: it was refused, and the one before it is in force',
  },
  headgate_config_reload_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    unit: 'seconds since 1970',
    help: 'When a config was last taken; 0: none yet',
  },
} as const satisfies Record<`headgate_${string}`, MetricSpec>

export type MetricName = keyof typeof METRICS
