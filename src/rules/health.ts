import { type AlertRule, oneLine, type RuleGroup, type Severity } from './rule.ts'

/** What makes an alert of Headgate's own, but for its runbook. */
interface Health {
  readonly alert: string
  /** PromQL, broken into lines as it reads best. */
  readonly expr: string
  readonly for?: string
  readonly severity: Severity
  readonly summary: string
  readonly description: string
  readonly why: string | null
  /** Page and heading below the runbooks' address; left out: the alert's own on the page of the rules. */
  readonly runbook?: string
}

const WHOSE = '{{ $labels.workload }} of {{ $labels.migration }}'
/** A process that was started anew, or another one, goes on with the same alert. */
const BY = 'max by (job, migration, workload)'

/** Of the service as a whole; of a process that is gone, too. */
const ALL_SILENT = 'time() - max by (job) (last_over_time(headgate_last_sweep_timestamp_seconds[6h])) > 120'

const SILENT = {
  severity: 'page',
  summary: 'Headgate is silent: nobody watches the migration',
  description:
    'No sweep of Headgate was committed for at least two minutes, or it cannot be scraped. All weights stay where they are: no step is taken, and NO REVERT either, whatever NEW does to the users.',
  runbook: 'operations.md#headgate-is-silent',
} as const

const HEALTH: readonly Health[] = [
  {
    ...SILENT,
    alert: 'HeadgateSilent',
    expr: ALL_SILENT,
    for: '1m',
    why: 'Stands still, or was there within six hours and cannot be scraped any more. It is the newest sweep\nof the job that counts. Where `sweep` is longer than 40s, allow\nthree sweeps instead of the 120 seconds.',
  },
  {
    ...SILENT,
    alert: 'HeadgateAbsent',
    expr: 'absent_over_time(headgate_last_sweep_timestamp_seconds[6h])',
    for: '1m',
    why: 'Was not there for six hours, or never: the rule above knows nothing of it then. Delete both when the migration is over.',
  },
  {
    alert: 'HeadgateShardSilent',
    expr: `(max by (job, shard) (headgate_shard_held) == 0 or time() - max by (job, shard) (headgate_last_sweep_timestamp_seconds) > 120)
           and on (job) sum by (job) (headgate_shard_held) > 0
           unless on (job) ${ALL_SILENT}`,
    for: '1m',
    severity: 'page',
    summary: 'Nobody watches the migrations of the shard {{ $labels.shard }}',
    description:
      'Other shards of Headgate are swept, this one is not: no replica has it, or the one that has it is stuck. Its weights stay where they are: no step is taken, and NO REVERT either.',
    why: 'Only beside shards that somebody has, and while the newest sweep of all is young: else HeadgateSilent says it once.',
    runbook: 'operations.md#headgate-is-silent',
  },
  {
    alert: 'HeadgateBlind',
    expr: `${BY} (headgate_attention{about="blind"}) == 1`,
    severity: 'page',
    summary: `Headgate is blind about ${WHOSE}`,
    description:
      'Data has been missing for longer than the policy allows. The weight stays, and a gap alone reverts nothing: nobody knows how NEW does.',
    why: null,
  },
  {
    alert: 'HeadgateHalted',
    expr: `${BY} (headgate_hold{cause=~"halted|alert"}) == 1`,
    severity: 'page',
    summary: `${WHOSE} is halted`,
    description:
      'There is harm, or doubt, that a person has to look at. The weight stays until the cause clears or a person decides.',
    why: null,
  },
  {
    alert: 'HeadgateRevertRefused',
    expr: 'sum by (job, migration, workload) (increase(headgate_decisions_total{decision="revert-refused"}[10m])) > 0',
    severity: 'page',
    summary: `${WHOSE} is not brought back`,
    description:
      'NEW does harm, and OLD is not fit to take the traffic: both fail alike, or OLD lacks the capacity. Only a person can force it.',
    why: null,
  },
  {
    alert: 'HeadgateRevertSlow',
    expr: `time() - ${BY} (headgate_phase_entered_timestamp_seconds) > 60
           and ${BY} (headgate_phase{phase="reverting"}) == 1`,
    severity: 'page',
    summary: `${WHOSE} has been reverting for more than a minute`,
    description:
      'The safe weight was decided, and is not read back from every target yet. Users may still be sent to NEW.',
    why: 'By its own time, not by `for`: a restart of Headgate or a scrape that fails must not begin the minute anew. Where a\nprovider needs longer, such as DNS with its propagation, allow that.',
  },
  {
    alert: 'HeadgateWriteFailing',
    expr: `sum by (job, name) (increase(headgate_call_errors_total{kind="traffic-write"}[3m])) > 0
           and sum by (job, name) (increase(headgate_call_errors_total{kind="traffic-write"}[3m]))
           >= sum by (job, name) (increase(headgate_call_seconds_count{kind="traffic-write"}[3m]))`,
    for: '1m',
    severity: 'page',
    summary: 'No weight gets through to {{ $labels.name }}',
    description:
      'All writes to this scope have failed for three minutes. No step is taken there, and a revert would not get through either.',
    why: null,
  },
  {
    alert: 'HeadgateStuck',
    expr: `${BY} (headgate_attention{about="stuck"}) == 1`,
    severity: 'ticket',
    summary: `The users of ${WHOSE} do not follow its weight`,
    description:
      'NEW serves another share than the weight says, for longer than the policy allows: kept connections, resolvers that cache, or traffic from elsewhere.',
    why: null,
  },
  {
    alert: 'HeadgateAsked',
    expr: `${BY} (headgate_attention{about="asked"}) == 1 or ${BY} (headgate_hold{cause="approval"}) == 1`,
    for: '15m',
    severity: 'ticket',
    summary: `${WHOSE} waits for a person`,
    description:
      'A step wants an approval, or too little traffic comes to prove that NEW is good enough. Nothing is wrong, and nothing goes on.',
    why: null,
  },
  {
    alert: 'HeadgateDrift',
    expr: `${BY} (headgate_hold{cause="drift"}) == 1`,
    for: '1m',
    severity: 'page',
    summary: `Somebody else writes the weight of ${WHOSE}`,
    description:
      'A target has a weight that is neither the last nor the intended one. Headgate holds instead of fighting.',
    why: null,
  },
  {
    alert: 'HeadgateUnknownWeight',
    expr: `${BY} (headgate_hold{cause="unknown-weight"}) == 1`,
    for: '1m',
    severity: 'page',
    summary: `Nobody knows who wrote the weight of ${WHOSE}`,
    description:
      'NEW has traffic that the store knows nothing of: it was lost, or somebody has moved it by hand. Headgate neither raises nor reverts before a person adopts or reverts it.',
    why: null,
  },
  {
    alert: 'HeadgateBudgetSpent',
    expr: `max by (job, migration, workload, gate) (headgate_budget_spent_percent)
           >= on (job, migration, workload, gate) max by (job, migration, workload, gate) (headgate_budget_limit_percent{outcome="halt"})`,
    severity: 'ticket',
    summary: `The move of ${WHOSE} has spent its error budget`,
    description:
      '{{ $value | printf "%.2f" }} % of 30 days\' error budget went into failures on NEW that OLD would not have had.',
    why: null,
  },
  {
    alert: 'HeadgateReloadFailed',
    expr: 'min by (job, instance) (headgate_config_reload_ok) == 0',
    for: '10m',
    severity: 'ticket',
    summary: 'Headgate does not take its config',
    description:
      'The newest edit was refused, and the config before it is in force. The journal has the place and the reason; `headgate validate` tells them too.',
    why: null,
  },
  {
    alert: 'HeadgateCheckFailing',
    expr: 'max by (job, migration, workload, check) (headgate_check{outcome=~"fail|missing"}) == 1',
    for: '10m',
    severity: 'ticket',
    summary: `The check {{ $labels.check }} of ${WHOSE} does not pass`,
    description: 'It fails, or cannot be looked at. `headgate status` shows what was found, and what to do.',
    why: null,
  },
  {
    alert: 'HeadgateChannelDown',
    expr: `sum by (job, channel) (increase(headgate_notifications_total{outcome!="accepted"}[15m])) > 0
           unless on (job, channel) sum by (job, channel) (increase(headgate_notifications_total{outcome="accepted"}[15m])) > 0`,
    for: '5m',
    severity: 'ticket',
    summary: 'Nobody is told by {{ $labels.channel }}',
    description:
      'Headgate tries to tell that channel, and it has taken nothing for a quarter of an hour. What is to be told waits; the log says what the channel answered.',
    why: null,
  },
]

/** Alerts on Headgate itself, the same for every config. `runbooks` is the address that they link below. */
export function healthGroup(runbooks: string): RuleGroup {
  return { name: 'headgate', rules: HEALTH.map((one) => ({ rule: alertOf(one, runbooks), why: one.why })) }
}

function alertOf({ alert, expr, for: lasting, severity, summary, description, runbook }: Health, runbooks: string) {
  return {
    alert,
    expr: oneLine(expr),
    ...(lasting !== undefined && { for: lasting }),
    labels: { severity },
    annotations: { summary, description, runbook_url: runbookUrl(runbooks, alert, runbook) },
  } satisfies AlertRule
}

/** Where an alert's runbook is: a heading of its own name on the page of the rules, unless it says otherwise. */
export function runbookUrl(runbooks: string, alert: string, runbook = `rules.md#${alert.toLowerCase()}`): string {
  return `${runbooks.replace(/\/+$/, '')}/${runbook}`
}
