import type { FleetPlan } from '../core/fleet-plan.ts'
import { formatCount, formatOrigin, formatPercent, formatSpan } from '../core/format.ts'
import type { Plan, Trial } from '../core/plan.ts'
import type { Config, MigrationConfig } from '../policy/config.ts'
import type { Forecast, WaveForecast } from '../policy/forecast.ts'
import type { AccountForecast } from '../policy/forecast-quota.ts'
import type { StepForecast, WorkloadForecast } from '../policy/forecast-workload.ts'
import type { Zone } from '../shared/calendar/zone.ts'
import { clean, paint, type Style } from './view.ts'

export interface MigrationForecast {
  readonly config: MigrationConfig
  readonly service: Pick<Config, 'sweepSeconds' | 'observeTimeoutSeconds'>
  readonly zone: Zone
  readonly forecast: Forecast
  readonly assumed: { readonly sweepSeconds: number; readonly ttlSeconds: number }
}

const NEVER = 'never'
const TIME_WIDTH = 'Mon 2026-11-23 09:00'.length
const LABEL_WIDTH = 'mirror 100 %'.length

/** What `headgate plan` shows of a migration. Never cut: it is read with care, and goes into files. */
export function planLines({ config, service, zone, forecast, assumed }: MigrationForecast, style: Style): string[] {
  const { migration, clusters, plans, fleet } = config
  const time = (ms: number | null) => (ms === null ? NEVER : zone.formatMinute(ms))
  const { startMs, endsAtMs } = forecast
  const span = endsAtMs === null ? '' : `, ${formatSpan((endsAtMs - startMs) / 1000)} later`
  const head = `${clean(migration)}: ${clean(clusters.old)} → ${clean(clusters.new)}, at the earliest; times of ${zone.name}`
  return [
    paint(head, 'strong', style),
    `from ${time(startMs)}; done ${time(endsAtMs)}${span}`,
    ...forecast.waves.flatMap((wave) => waveLines(wave, time, style)),
    ...section(
      'writes',
      forecast.accounts.map((account) => accountLine(account, time)),
      style,
    ),
    ...section('what applies', [...serviceLines(service, fleet), ...appliedLines(plans)], style),
    ...section('taken for granted', grantedLines(plans, assumed), style),
  ]
}

type Time = (ms: number | null) => string

function section(title: string, lines: readonly string[], style: Style): string[] {
  return lines.length === 0 ? [] : ['', paint(title, 'strong', style), ...lines.map((line) => `  ${line}`)]
}

function waveLines({ name, startsAtMs, bakedAtMs, workloads }: WaveForecast, time: Time, style: Style): string[] {
  const head = `wave ${clean(name)}: starts ${time(startsAtMs)}, has baked ${time(bakedAtMs)}`
  return ['', paint(head, 'strong', style), ...workloads.flatMap((way) => workloadLines(way, time, style))]
}

function workloadLines(way: WorkloadForecast, time: Time, style: Style): string[] {
  const { workload, policy, after, startsAtMs, waitedFor, preparedAtMs, steps, bakesAtMs, bakedAtMs, endsAtMs } = way
  const line = (label: string, ms: number | null, more = '') =>
    `    ${label.padEnd(LABEL_WIDTH)}  ${`${time(ms).padEnd(TIME_WIDTH)}  ${more}`.trimEnd()}`
  const about = [`policy ${clean(policy)}`, ...(after.length > 0 ? [`after ${clean(after.join(', '))}`] : [])]
  const head = `  ${paint(clean(workload), 'strong', style)}  ${about.join(', ')}`
  const started = line('start', startsAtMs, waitedFor === null ? '' : clean(waitedFor))
  if (startsAtMs === null) return [head, started]
  const isPrepared = preparedAtMs !== null && preparedAtMs > startsAtMs
  return [
    head,
    started,
    ...(isPrepared ? [line('TTLs out', preparedAtMs)] : []),
    ...steps.map((step) => line(stepLabel(step), step.atMs, stepText(step))),
    ...(way.stuckBy === null ? [] : [line('stuck', null, clean(way.stuckBy))]),
    line('bake', bakesAtMs),
    line('drain', bakedAtMs),
    line('end', endsAtMs),
  ]
}

function stepLabel({ weightPercent, trial }: StepForecast): string {
  return trial === null ? formatPercent(weightPercent) : trialText(trial)
}

function trialText(trial: Trial): string {
  return trial.kind === 'marked' ? 'marked' : `mirror ${formatPercent(trial.percent)}`
}

function stepText({ atMs, inForceAtMs, doneAtMs, approval, waitedFor }: StepForecast): string {
  const seconds = (fromMs: number, toMs: number) => formatSpan((toMs - fromMs) / 1000)
  const who = approval === null ? null : approval.length === 0 ? 'any operator' : `one of ${clean(approval.join(', '))}`
  const parts = [
    `in force after ${seconds(atMs, inForceAtMs)}, held ${seconds(inForceAtMs, doneAtMs)}`,
    ...(who === null ? [] : [`needs ${who}`]),
    ...(waitedFor === null ? [] : [`waited: ${clean(waitedFor)}`]),
  ]
  return parts.join('; ')
}

function accountLine({ kind, writes, busiestMinute, minuteLimit }: AccountForecast, time: Time): string {
  const most = `${busiestMinute.writes} within a minute (${time(busiestMinute.fromMs)})`
  const share =
    minuteLimit === null
      ? 'no quota is known'
      : `of ${formatCount(minuteLimit)} that steps may make, ${formatPercent((busiestMinute.writes / minuteLimit) * 100)}`
  return `${kind}: ${formatCount(writes)} ${writes === 1 ? 'write' : 'writes'}, at most ${most}, ${share}`
}

function serviceLines(
  { sweepSeconds, observeTimeoutSeconds }: MigrationForecast['service'],
  { concurrency, spacingSeconds, canaryFirst, breaker, signals }: FleetPlan,
): string[] {
  const limits = [
    concurrency === null
      ? 'any number of workloads at once'
      : `${concurrency} ${concurrency === 1 ? 'workload' : 'workloads'} at once`,
    ...(spacingSeconds > 0 ? [`${formatSpan(spacingSeconds)} between two starts`] : []),
    ...(canaryFirst ? ['the first of a wave bakes before the others start'] : []),
    breaker === null
      ? 'no breaker'
      : `${breaker.reverts} reverts within ${formatSpan(breaker.withinSeconds)} halt all the rest`,
    signals.length === 0 ? 'no signals' : `signals: ${signals.map(({ id }) => id).join(', ')}`,
  ]
  return [
    `sweep ${formatSpan(sweepSeconds)}; what has not answered within ${formatSpan(observeTimeoutSeconds)} is missing`,
    limits.join('; '),
  ]
}

/** The numbers that apply, written or by default, once for all workloads that share them. */
function appliedLines(plans: readonly Plan[]): string[] {
  const byText = new Map<string, string[]>()
  for (const plan of plans) {
    const text = policyText(plan)
    byText.set(text, [...(byText.get(text) ?? []), plan.workload])
  }
  return [...byText].flatMap(([text, workloads]) => [`${clean(workloads.join(', '))}:`, ...text.split('\n')])
}

function policyText(plan: Plan): string {
  const { safeWeightPercent, bakeSeconds, drainSeconds, minRequests, blindAfterSeconds, drift } = plan
  const share =
    plan.shareTolerancePercent === null
      ? 'the observed share is not checked'
      : `the observed share within ${plan.shareTolerancePercent} points, stuck after ${formatSpan(plan.stuckAfterSeconds)}`
  const named = (title: string, ids: readonly string[]) => (ids.length === 0 ? [] : [`  ${title}: ${ids.join(', ')}`])
  return [
    `  policy ${plan.policy}: bake ${formatSpan(bakeSeconds)}, drain ${formatSpan(drainSeconds)}, a revert goes to ${formatPercent(safeWeightPercent)}`,
    `  at least ${formatCount(minRequests)} requests a weight; blind pages after ${formatSpan(blindAfterSeconds)}; drift: ${drift}; ${share}`,
    ...named(
      'SLIs',
      plan.slis.map(
        ({ name, source, origin }) =>
          `${name} (${source}${origin === undefined ? '' : `, from ${clean(formatOrigin(origin))}`})`,
      ),
    ),
    ...named(
      'gates',
      plan.gates.map(({ id }) => id),
    ),
    ...named(
      'checks',
      plan.checks.map(({ id, then }) => `${id} (${then})`),
    ),
    ...named(
      'hooks',
      plan.hooks.map(({ id, at }) => `${id} (${at})`),
    ),
  ].join('\n')
}

function grantedLines(
  plans: readonly Plan[],
  { sweepSeconds, ttlSeconds }: MigrationForecast['assumed'],
): readonly string[] {
  const has = (is: (plan: Plan) => boolean) => plans.some(is)
  return [
    'every gate passes as soon as its step was held, and nothing reverts',
    `a write is read back a sweep later: ${formatSpan(sweepSeconds)}`,
    ...(has(({ targets }) => targets.some(({ movingTtlSeconds }) => movingTtlSeconds !== null))
      ? [`names have a TTL of ${formatSpan(ttlSeconds)} now (--ttl)`]
      : []),
    ...(has(({ steps }) => steps.some(({ approval }) => approval !== null)) ? ['people approve at once'] : []),
    ...(has(({ hooks }) => hooks.length > 0) ? ['hooks take no time'] : []),
    ...(has(({ capacity }) => capacity !== null) ? ['the replicas that are needed are there'] : []),
    ...(has(({ drainSeconds }) => drainSeconds > 0) ? ['OLD is quiet as soon as all has baked'] : []),
  ]
}
