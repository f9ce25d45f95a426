import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { burnOf } from './on-call.ts'
import { dashboard, series, stat, states, table } from './parts.ts'

const W = 'migration=~"$migration", workload=~"$workload"'
const SIDES = 'sli, side'

/** For whoever must understand one workload. */
export function debug() {
  return dashboard({
    uid: 'headgate-debug',
    title: 'Headgate: one workload',
    description:
      'Weights as meant and as they are, evidence against its limits, OLD and NEW side by side, providers and quotas.',
    oneWorkload: true,
  })
    .withRow(new RowBuilder('Where it stands'))
    .withPanel(
      table(
        { title: 'Rollout', description: 'Policy and run', width: 8, height: 4 },
        `max by (migration, workload, policy, run_id) (headgate_rollout_info{${W}})`,
        ['migration', 'workload', 'policy', 'run_id'],
      ),
    )
    .withPanel(stat({ title: 'Step', description: 'Of its plan, from 1', width: 4 }, `max(headgate_step{${W}})`))
    .withPanel(stat({ title: 'Steps', description: 'Of its plan', width: 4 }, `max(headgate_steps{${W}})`))
    .withPanel(
      stat(
        { title: 'Least time left', description: 'Holds, bake and drain that are still to come', width: 4, unit: 's' },
        `max(headgate_least_seconds_left{${W}})`,
      ),
    )
    .withPanel(
      stat({ title: 'Holds', description: 'Reasons not to go on', width: 4 }, `sum(headgate_hold{${W}}) or vector(0)`, {
        doubt: 1,
      }),
    )
    .withPanel(
      series(
        {
          title: 'Weight',
          description:
            'Intended; confirmed: read back from the provider; in-force: clients have it too; observed in requests',
          width: 16,
          unit: 'percent',
        },
        [[`max by (kind) (headgate_weight_percent{${W}})`, '{{kind}}']],
        { min: 0, max: 100 },
      ),
    )
    .withPanel(
      states({ title: 'Phase and holds', description: 'Over time', width: 8 }, [
        `max by (phase) (headgate_phase{${W}}) or max by (cause) (headgate_hold{${W}})`,
        '{{phase}}{{cause}}',
      ]),
    )
    .withRow(new RowBuilder('Evidence'))
    .withPanel(
      series(
        {
          title: 'Evidence over its limit',
          description: 'At 1 a test speaks up: halt, revert and absolute against NEW, proof for the next weight',
          width: 12,
        },
        [
          [
            `max by (gate, test) (headgate_evidence{${W}}) / on (gate, test) (max by (gate, test) (headgate_evidence_limit{${W}}) > 0)`,
            '{{gate}} {{test}}',
          ],
        ],
        { isLogarithmic: true, limit: 1 },
      ),
    )
    .withPanel(
      states({ title: 'Outcomes of gates', description: 'Over time', width: 12 }, [
        `max by (gate, outcome) (headgate_gate_outcome{${W}})`,
        '{{gate}} {{outcome}}',
      ]),
    )
    .withPanel(
      series(
        {
          title: 'Error budget spent',
          description: "By the move itself, of 30 days' budget, and its limits",
          width: 12,
          unit: 'percent',
        },
        [
          [`max by (gate) (headgate_budget_spent_percent{${W}})`, '{{gate}}'],
          [`max by (gate, outcome) (headgate_budget_limit_percent{${W}})`, '{{gate}} {{outcome}}'],
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      table(
        { title: 'Checks', description: 'Their newest outcome', width: 6 },
        `max by (check, outcome) (headgate_check{${W}})`,
        ['check', 'outcome'],
      ),
    )
    .withPanel(
      table(
        { title: 'Hooks, warm-ups, scalings', description: 'Of this round', width: 6 },
        `max by (outcome) (headgate_tasks{${W}})`,
        ['outcome'],
      ),
    )
    .withRow(new RowBuilder('OLD and NEW side by side'))
    .withPanel(
      series(
        { title: 'Requests', description: 'A second, as each SLI counts them', width: 8, unit: 'reqps' },
        [
          [
            `sum by (${SIDES}) (rate(headgate_sli_requests_total{${W}, outcome="all"}[$__rate_interval]))`,
            '{{sli}} {{side}}',
          ],
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        { title: 'Share that is bad', description: 'Of what each side served', width: 8, unit: 'percentunit' },
        [
          [
            `sum by (${SIDES}) (rate(headgate_sli_requests_total{${W}, outcome="bad"}[$__rate_interval])) / (sum by (${SIDES}) (rate(headgate_sli_requests_total{${W}, outcome="all"}[$__rate_interval])) > 0)`,
            '{{sli}} {{side}}',
          ],
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        { title: 'Burn', description: "Times the error budget's even spending", width: 8 },
        [[burnOf(W), '{{sli}} {{side}}']],
        { min: 0, limit: 14.4 },
      ),
    )
    .withPanel(
      series(
        {
          title: 'Latency',
          description: 'OLD since the first tick, NEW since its weight is in force; no gate goes by it',
          width: 12,
          unit: 's',
        },
        [[`max by (gate, side, quantile) (headgate_latency_seconds{${W}})`, '{{gate}} {{side}} {{quantile}}']],
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        { title: 'Replicas', description: "Of the workload's object, where the config names it", width: 12 },
        [[`max by (side, kind) (headgate_replicas{${W}})`, '{{side}} {{kind}}']],
        { min: 0 },
      ),
    )
    .withRow(new RowBuilder('Providers, quotas, sources (of the whole service)'))
    .withPanel(
      series(
        { title: 'Calls to providers', description: 'The slowest twentieth, by scope', width: 12, unit: 's' },
        [
          [
            'histogram_quantile(0.95, sum by (le, kind, name) (rate(headgate_call_seconds_bucket{kind=~"traffic-read|traffic-write"}[$__rate_interval])))',
            '{{kind}} {{name}}',
          ],
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        { title: 'Calls to sources and probes', description: 'The slowest twentieth', width: 12, unit: 's' },
        [
          [
            'histogram_quantile(0.95, sum by (le, kind, name) (rate(headgate_call_seconds_bucket{kind=~"source|probe"}[$__rate_interval])))',
            '{{kind}} {{name}}',
          ],
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        {
          title: 'From the intention of a weight',
          description:
            'Until a provider acknowledged it, until it was read back, until it was in force: the slowest tenth',
          width: 8,
          unit: 's',
        },
        (['applied', 'confirm', 'in_force'] as const).map((until) => [
          `histogram_quantile(0.9, sum by (le) (rate(headgate_write_to_${until}_seconds_bucket[$__range])))`,
          until,
        ]),
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        {
          title: 'Quota left',
          description: 'Calls that an account may make at once; the rest of it is kept for reverts',
          width: 8,
        },
        [
          ['min by (account, use) (headgate_quota_calls_left)', '{{account}} {{use}}'],
          ['max by (account, use) (headgate_quota_calls_burst)', '{{account}} {{use}}, at most'],
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      series(
        { title: 'Waiting for the quota', description: 'Calls', width: 8 },
        [['max by (account, use) (headgate_quota_waiting)', '{{account}} {{use}}']],
        { min: 0 },
      ),
    )
}
