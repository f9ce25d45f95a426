import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { dashboard, series, stat, states, table } from './parts.ts'

const M = 'migration=~"$migration"'
const OF = 'migration, workload, sli, side'

/** Times the error budget's even spending, by side. */
export function burnOf(whose: string): string {
  return `sum by (${OF}) (rate(headgate_sli_requests_total{${whose}, outcome="bad"}[$__rate_interval]))
    / (sum by (${OF}) (rate(headgate_sli_requests_total{${whose}, outcome="all"}[$__rate_interval])) > 0)
    / on (migration, workload, sli) group_left () max by (migration, workload, sli) (1 - headgate_sli_objective_percent{${whose}} / 100)`
}

/** For whoever is woken: what stands still and why, what burns, what happened last. */
export function onCall() {
  return dashboard({
    uid: 'headgate-on-call',
    title: 'Headgate: on call',
    description: 'What is halted and why, what burns, who waits for whom, and what was decided last.',
    oneWorkload: false,
  })
    .withRow(new RowBuilder('Does Headgate itself work'))
    .withPanel(
      stat(
        {
          title: 'Since the last sweep',
          description:
            'Of the shard that waits longest. Far above the sweep interval: nobody watches, and nobody reverts',
          width: 4,
          unit: 's',
        },
        'time() - min(max by (job, shard) (headgate_last_sweep_timestamp_seconds > 0))',
        { doubt: 60, harm: 120 },
      ),
    )
    .withPanel(
      stat({ title: 'Halted', description: 'Workloads that wait for a person', width: 4 }, held('halted|alert'), {
        harm: 1,
      }),
    )
    .withPanel(
      stat({ title: 'Blind', description: 'Workloads whose data is missing', width: 4 }, held('blind'), { doubt: 1 }),
    )
    .withPanel(
      stat({ title: 'Drift', description: 'Workloads whose weight somebody else wrote', width: 4 }, held('drift'), {
        harm: 1,
      }),
    )
    .withPanel(
      stat(
        { title: 'Reverting', description: 'Workloads that are being brought back', width: 4 },
        `sum(headgate_phase{${M}, phase="reverting"}) or vector(0)`,
        { harm: 1 },
      ),
    )
    .withPanel(
      stat(
        { title: 'Config', description: '1: the newest config is in force; 0: it was refused', width: 4 },
        'min(headgate_config_reload_ok)',
        { good: 1 },
      ),
    )
    .withRow(new RowBuilder('What stands still, and why'))
    .withPanel(
      table(
        { title: 'Holds', description: 'Every reason not to go on, and for how long', width: 8, unit: 's' },
        `sort_desc(time() - max by (migration, workload, cause) (headgate_hold_since_timestamp_seconds{${M}}))`,
        ['migration', 'workload', 'cause'],
      ),
    )
    .withPanel(
      table(
        { title: 'Gates that do not pass', description: 'With their newest outcome', width: 8 },
        `max by (migration, workload, gate, outcome) (headgate_gate_outcome{${M}, outcome!="pass"})`,
        ['migration', 'workload', 'gate', 'outcome'],
      ),
    )
    .withPanel(
      table(
        {
          title: 'A person should look',
          description: '1: blind for too long, a share that is stuck, a proof that only a person can replace',
          width: 8,
        },
        `sort_desc(max by (migration, workload, about) (headgate_attention{${M}}))`,
        ['migration', 'workload', 'about'],
      ),
    )
    .withPanel(
      states({ title: 'Phases', description: 'Of each workload', width: 12 }, [
        `max by (workload, phase) (headgate_phase{${M}})`,
        '{{workload}} {{phase}}',
      ]),
    )
    .withPanel(
      states({ title: 'Holds over time', description: 'Of each workload', width: 12 }, [
        `max by (workload, cause) (headgate_hold{${M}})`,
        '{{workload}} {{cause}}',
      ]),
    )
    .withRow(new RowBuilder('What burns'))
    .withPanel(
      series(
        {
          title: 'Burn',
          description: "Times the error budget's even spending, OLD and NEW. Both high: something that they share",
          width: 12,
        },
        [[burnOf(M), '{{workload}} {{sli}} {{side}}']],
        { min: 0, limit: 14.4 },
      ),
    )
    .withPanel(
      series(
        {
          title: 'Evidence against NEW',
          description: 'As a share of what the test needs to halt or revert: at 1 it speaks up',
          width: 12,
        },
        [
          [
            `max by (migration, workload, gate, test) (headgate_evidence{${M}, test=~"halt|revert|absolute"}) / on (migration, workload, gate, test) max by (migration, workload, gate, test) (headgate_evidence_limit{${M}, test=~"halt|revert|absolute"})`,
            '{{workload}} {{gate}} {{test}}',
          ],
        ],
        { isLogarithmic: true, limit: 1 },
      ),
    )
    .withRow(new RowBuilder('What happened last'))
    .withPanel(
      table(
        { title: 'Decisions', description: 'How often, in the time range above', width: 8 },
        `sum by (migration, workload, decision) (increase(headgate_decisions_total{${M}}[$__range])) > 0`,
        ['migration', 'workload', 'decision'],
      ),
    )
    .withPanel(
      table(
        { title: 'Events', description: 'Of the journal, in the time range above', width: 8 },
        'sort_desc(sum by (type) (increase(headgate_events_total[$__range])) > 0)',
        ['type'],
      ),
    )
    .withPanel(
      series(
        {
          title: 'Reverts',
          description: 'From the decision until the safe weight was read back: the slowest tenth',
          width: 8,
          unit: 's',
        },
        [['histogram_quantile(0.9, sum by (le) (rate(headgate_revert_seconds_bucket[$__range])))', 'p90']],
        { min: 0 },
      ),
    )
    .withRow(new RowBuilder('Clusters and checks'))
    .withPanel(
      table(
        { title: 'Signals', description: 'Their newest outcome', width: 8 },
        `max by (migration, signal, outcome) (headgate_signal_outcome{${M}})`,
        ['migration', 'signal', 'outcome'],
      ),
    )
    .withPanel(
      series({ title: 'Values of signals', description: 'Each in its own unit', width: 8 }, [
        [`max by (migration, signal, side) (headgate_signal_value{${M}})`, '{{signal}} {{side}}'],
      ]),
    )
    .withPanel(
      table(
        { title: 'Checks', description: 'Their newest outcome, but for those that do not apply', width: 8 },
        `max by (migration, workload, check, outcome) (headgate_check{${M}, outcome!="skipped"})`,
        ['migration', 'workload', 'check', 'outcome'],
      ),
    )
    .withRow(new RowBuilder('What it depends on'))
    .withPanel(
      series(
        { title: 'Failed calls', description: 'To sources, probes and providers; and spans that were lost', width: 8 },
        [
          ['sum by (kind, name) (rate(headgate_call_errors_total[$__rate_interval]))', '{{kind}} {{name}}'],
          ['sum by (outcome) (rate(headgate_spans_total{outcome!="exported"}[$__rate_interval]))', 'spans {{outcome}}'],
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        {
          title: 'Sweeps',
          description: 'By how they ended; a conflict means that another process was first',
          width: 8,
        },
        [['sum by (outcome) (rate(headgate_sweeps_total[$__rate_interval]))', '{{outcome}}']],
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        { title: 'Duration of sweeps', description: 'It must stay below the interval', width: 8, unit: 's' },
        [['histogram_quantile(0.95, sum by (le) (rate(headgate_sweep_seconds_bucket[$__rate_interval])))', 'p95']],
        { min: 0 },
      ),
    )
}

/** How many workloads have a hold of one of these causes. */
function held(causes: string): string {
  return `count(max by (migration, workload) (headgate_hold{${M}, cause=~"${causes}"}) == 1) or vector(0)`
}
