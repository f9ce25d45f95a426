import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { dashboard, series, stat, table } from './parts.ts'

const M = 'migration=~"$migration"'
/** What was read back; a workload that was never written to has none of it on NEW. */
const SHARE = `avg(headgate_weight_percent{${M}, kind="confirmed"} or on (migration, workload) 0 * headgate_weight_percent{${M}, kind="intended"})`

/** For leads: how far it is, what it costs, when it ends. */
export function overview() {
  return dashboard({
    uid: 'headgate-overview',
    title: 'Headgate: overview',
    description: 'How far migrations are, what they have cost in error budget, and when they may end.',
    oneWorkload: false,
  })
    .withRow(new RowBuilder('Now'))
    .withPanel(
      stat(
        {
          title: 'Traffic on NEW',
          description: 'Weights of all workloads, as read back, on average',
          width: 4,
          unit: 'percent',
        },
        SHARE,
      ),
    )
    .withPanel(
      stat(
        {
          title: 'Workloads moved',
          description: 'Share of the workloads whose traffic has moved and baked',
          width: 4,
          unit: 'percentunit',
        },
        `sum(headgate_wave_workloads{${M}, state="baked"}) / sum(headgate_wave_workloads{${M}})`,
      ),
    )
    .withPanel(
      stat(
        { title: 'Under way', description: 'Workloads that have started, and neither baked nor ended', width: 4 },
        `sum(headgate_wave_workloads{${M}, state="underWay"})`,
      ),
    )
    .withPanel(
      stat(
        { title: 'Held', description: 'Workloads with a reason not to go on', width: 4 },
        `count(count by (migration, workload) (headgate_hold{${M}})) or vector(0)`,
        { doubt: 1 },
      ),
    )
    .withPanel(
      stat(
        { title: 'Reverted', description: 'Workloads whose traffic was brought back', width: 4 },
        `sum(headgate_wave_workloads{${M}, state="reverted"})`,
        { harm: 1 },
      ),
    )
    .withPanel(
      stat(
        { title: 'Breaker', description: '1: so many workloads have reverted that no new one starts', width: 4 },
        `max(headgate_breaker_tripped{${M}})`,
        { harm: 1 },
      ),
    )
    .withRow(new RowBuilder('When it ends'))
    .withPanel(
      stat(
        {
          title: 'At the earliest',
          description:
            'Holds, bake and drain that the longest workload still has by its plan. Proof, propagation and whoever waits come on top',
          width: 6,
          unit: 's',
        },
        `max(headgate_least_seconds_left{${M}})`,
      ),
    )
    .withPanel(
      stat(
        {
          title: 'At the pace of the time shown',
          description:
            'What is left, at the speed with which traffic moved in the time range above; nothing while it does not move',
          width: 6,
          unit: 's',
        },
        `(100 - ${SHARE}) / (delta((${SHARE})[$__range:$__rate_interval]) > 0) * $__range_s`,
      ),
    )
    .withPanel(
      table(
        { title: 'Time left by workload', description: 'At the earliest, by its plan', width: 12, unit: 's' },
        `sort_desc(max by (migration, workload) (headgate_least_seconds_left{${M}}))`,
        ['migration', 'workload'],
      ),
    )
    .withRow(new RowBuilder('Progress'))
    .withPanel(
      series(
        { title: 'Workloads by where they stand', description: 'Of all waves', width: 12 },
        [[`sum by (state) (headgate_wave_workloads{${M}})`, '{{state}}']],
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        { title: 'Share on NEW', description: 'Weight of each workload, as read back', width: 12, unit: 'percent' },
        [[`max by (migration, workload) (headgate_weight_percent{${M}, kind="confirmed"})`, '{{workload}}']],
        { min: 0, max: 100 },
      ),
    )
    .withPanel(
      table(
        { title: 'Waves', description: 'Workloads by wave and by where they stand', width: 12 },
        `sum by (migration, wave, state) (headgate_wave_workloads{${M}}) > 0`,
        ['migration', 'wave', 'state'],
      ),
    )
    .withPanel(
      table(
        { title: 'Phases', description: 'Where each workload is, and for how long', width: 12, unit: 's' },
        `(time() - max by (migration, workload) (headgate_phase_entered_timestamp_seconds{${M}})) * on (migration, workload) group_right max by (migration, workload, phase) (headgate_phase{${M}})`,
        ['migration', 'workload', 'phase'],
      ),
    )
    .withRow(new RowBuilder('What it has cost'))
    .withPanel(
      series(
        {
          title: 'Error budget spent',
          description:
            "Of 30 days' budget, by failures on NEW that OLD would not have had; and the lowest limit that halts",
          width: 12,
          unit: 'percent',
        },
        [
          [`max by (migration, workload) (headgate_budget_spent_percent{${M}})`, '{{workload}}'],
          [`min(headgate_budget_limit_percent{${M}, outcome="halt"})`, 'halts'],
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        { title: 'Decisions', description: 'What was decided, over all workloads', width: 12 },
        [[`sum by (decision) (increase(headgate_decisions_total{${M}}[$__rate_interval]))`, '{{decision}}']],
        { min: 0 },
      ),
    )
}
