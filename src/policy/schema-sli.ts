import { z } from 'zod'
import type { Bound, Harm, SliMeasure, SliOrigin, SliSpec } from '../core/plan.ts'
import { about, duration } from '../shared/schema.ts'
import { queryFault, refusePromql, selector } from './promql.ts'
import { histogramName, text } from './schema-names.ts'
import { common, objective, worst } from './schema-sli-keys.ts'
import { opensloForm, pyrraForm, slothForm } from './schema-slo.ts'

/** An SLI as its form says it. */
export interface SliSettings {
  /** Kind of the source; undefined: the only one configured. */
  readonly source: string | undefined
  readonly labels: SliSpec['labels']
  /** The worst that gates on this SLI may do. */
  readonly worst: Harm
  /** Null for a value. */
  readonly objectivePercent: number | null
  readonly measure: SliMeasure
  /** Null for everything but a value. */
  readonly bound: Bound | null
  /** Left out: the config itself says what it counts. */
  readonly origin?: SliOrigin
  /** The one workload whose series are read; left out: a label says whose each is. */
  readonly onlyOf?: string
}

const window = duration({ minSeconds: 1, maxSeconds: 7 * 86_400 })
  .prefault('1m')
  .meta(about('What `$window` stands for', '1m'))

const selectorForm = z
  .strictObject({
    objective,
    total: selector().meta(about('Counter of all requests; Headgate writes the query', 'http_requests_total')),
    bad: selector().meta(about('Counter of the bad ones among them', 'http_requests_total{code=~"5.."}')),
    worst: worst('revert'),
    ...common,
  })
  .transform(({ objective, total, bad, ...rest }): SliSettings => {
    return { ...settingsOf(rest), objectivePercent: objective, measure: { kind: 'selector', total, bad } }
  })

const histogramForm = z
  .strictObject({
    objective,
    histogram: histogramName().meta(
      about('Classic histogram of latencies in seconds, without `_bucket`', 'http_request_duration_seconds'),
    ),
    slowerThan: latency().meta(about('Slower than this is bad; must be a bucket boundary', '500ms')),
    worst: worst('halt'),
    ...common,
  })
  .transform(({ objective, histogram: metric, slowerThan: slowerThanSeconds, ...rest }): SliSettings => {
    const measure: SliMeasure = { kind: 'histogram', metric, slowerThanSeconds }
    return { ...settingsOf(rest), objectivePercent: objective, measure }
  })

const nativeHistogramForm = z
  .strictObject({
    objective,
    nativeHistogram: histogramName().meta(
      about('Native histogram of latencies in seconds; Prometheus 2.40 or newer', 'http_request_duration_seconds'),
    ),
    slowerThan: latency().meta(about('Slower than this is bad; a power of two of seconds: 250ms, 500ms, 1s', '500ms')),
    worst: worst('halt'),
    ...common,
  })
  .superRefine(({ slowerThan }, ctx) => {
    // Other bounds lie within buckets, where a count would be a guess that jumps with the histogram's resolution.
    if (Number.isInteger(Math.log2(slowerThan))) return
    ctx.addIssue({
      code: 'custom',
      path: ['slowerThan'],
      message: `a native histogram cannot count exactly at ${slowerThan} s`,
      params: { code: 'CONFIG_WRONG_VALUE', hint: 'use a power of two of seconds: 125ms, 250ms, 500ms, 1s, 2s, 4s' },
    })
  })
  .transform(({ objective, nativeHistogram: metric, slowerThan: slowerThanSeconds, ...rest }): SliSettings => {
    const measure: SliMeasure = { kind: 'nativeHistogram', metric, slowerThanSeconds }
    return { ...settingsOf(rest), objectivePercent: objective, measure }
  })

const QUERY_EXAMPLE = 'sum by (cluster, service) (increase(jobs_total[$window]))'

const queryForm = z
  .strictObject({
    objective,
    query: z
      .strictObject({
        total: query('Own PromQL that counts all events over `$window`', QUERY_EXAMPLE),
        bad: query(
          'Own PromQL that counts the bad ones',
          'sum by (cluster, service) (increase(jobs_failed_total[$window]))',
        ),
      })
      .meta(about('Own queries, one sample a cluster and workload each')),
    window,
    worst: worst('revert'),
    ...common,
  })
  .superRefine(({ query, labels }, ctx) => {
    for (const key of ['total', 'bad'] as const) {
      const fault = queryFault(query[key], Object.values(labels), 'needed')
      if (fault) refusePromql(ctx, fault, ['query', key])
    }
  })
  .transform(({ objective, query: { total, bad }, window: windowSeconds, ...rest }): SliSettings => {
    const measure: SliMeasure = { kind: 'query', total, bad, windowSeconds }
    return { ...settingsOf(rest), objectivePercent: objective, measure }
  })

const valueForm = z
  .strictObject({
    value: query(
      'Own PromQL for a value, one sample a cluster and workload',
      'avg by (cluster, service) (cpu_usage_ratio)',
    ),
    window,
    max: z.number().optional().meta(about('The value of NEW must not be above this', 0.8)),
    min: z.number().optional().meta(about('The value of NEW must not be below this', 3)),
    worst: worst('halt'),
    ...common,
  })
  .transform(({ value, window: windowSeconds, max, min, ...rest }, ctx): SliSettings => {
    const fault = queryFault(value, Object.values(rest.labels), 'optional')
    if (fault) refusePromql(ctx, fault, ['value'])
    const bound = boundOf(max, min)
    if (!bound) refuseBound(ctx, max !== undefined)
    const measure: SliMeasure = { kind: 'value', value, windowSeconds }
    return { ...settingsOf(rest), measure, bound }
  })

const askedCommon = {
  source: common.source,
  labels: z
    .strictObject({
      cluster: ownLabel().prefault('cluster').meta(about('What names the cluster in an answer', 'k8s.cluster.name')),
      workload: ownLabel().prefault('service').meta(about('What names the workload in it', 'service.name')),
    })
    .prefault({})
    .meta(about('Labels, tags or attributes that say whose an answer is', { cluster: 'cluster', workload: 'service' })),
}

const ASK_EXAMPLE = 'sum by (cluster, service) (count_over_time({job="web"}[$window]))'

const askForm = z
  .strictObject({
    objective,
    ask: z
      .strictObject({
        total: ownQuery('Counts all events over `$window`, in the language of the source', ASK_EXAMPLE),
        bad: ownQuery(
          'Counts the bad ones',
          'sum by (cluster, service) (count_over_time({job="web"} |= "error" [$window]))',
        ),
      })
      .meta(about('Own queries in the language of the source, one answer a cluster and workload each')),
    window: duration({ minSeconds: 1, maxSeconds: 7 * 86_400 })
      .optional()
      .meta(
        about('What `$window` stands for; without it each sweep, or the shortest time that the source knows', '1m'),
      ),
    worst: worst('revert'),
    ...askedCommon,
  })
  .transform(({ objective, ask: { total, bad }, window: windowSeconds = null, ...rest }): SliSettings => {
    return { ...settingsOf(rest), objectivePercent: objective, measure: { kind: 'ask', total, bad, windowSeconds } }
  })

const askValueForm = z
  .strictObject({
    askValue: ownQuery(
      'Own query for a value in the language of the source, one answer a cluster and workload',
      'quantile_over_time(0.95, {job="web"} | json | unwrap seconds [$window]) by (cluster, service)',
    ),
    window,
    max: z.number().optional().meta(about('The value of NEW must not be above this', 0.8)),
    min: z.number().optional().meta(about('The value of NEW must not be below this', 3)),
    worst: worst('halt'),
    ...askedCommon,
  })
  .transform(({ askValue: value, window: windowSeconds, max, min, ...rest }, ctx): SliSettings => {
    const bound = boundOf(max, min)
    if (!bound) refuseBound(ctx, max !== undefined)
    return { ...settingsOf(rest), measure: { kind: 'askValue', value, windowSeconds }, bound }
  })

/** One SLI, in one of its forms: counted by Prometheus, in the language of another source, or defined elsewhere. */
export const sliSchema = z.union([
  selectorForm,
  histogramForm,
  nativeHistogramForm,
  queryForm,
  valueForm,
  askForm,
  askValueForm,
  opensloForm,
  slothForm,
  pyrraForm,
])

/** What a source calls a label, a tag, a dimension or an attribute. */
function ownLabel() {
  return z.string().min(1).max(200).meta({ 'x-type': 'label' })
}

function ownQuery(description: string, example: string) {
  return z
    .string()
    .regex(/\S/, 'there is no query')
    .max(10_000)
    .meta({ 'x-type': 'query', ...about(description, example) })
}

function settingsOf(rest: Pick<SliSettings, 'labels' | 'worst'> & { source?: string | undefined }) {
  const { source, labels, worst } = rest
  return { source, labels, worst, objectivePercent: null, bound: null }
}

function query(description: string, example: string) {
  return text().meta({ 'x-type': 'PromQL', ...about(description, example) })
}

function boundOf(max: number | undefined, min: number | undefined): Bound | null {
  if (max !== undefined && min === undefined) return { max }
  if (min !== undefined && max === undefined) return { min }
  return null
}

function refuseBound(ctx: z.RefinementCtx, both: boolean): void {
  ctx.addIssue({
    code: 'custom',
    path: both ? ['min'] : [],
    message: both ? 'a value has `max` or `min`, not both' : 'a value needs a bound',
    params: {
      code: both ? 'CONFIG_WRONG_VALUE' : 'CONFIG_MISSING_KEY',
      hint: both ? 'make two SLIs of it, one for each bound' : 'add `max: NUMBER` or `min: NUMBER`',
    },
  })
}

/** `500ms` or `2s` → seconds: latencies are the one place where milliseconds are common. */
function latency() {
  return z
    .string()
    .meta({ 'x-type': 'latency', pattern: '^\\d+(ms|s)$' })
    .transform((written, ctx): number => {
      const match = /^(\d+)(ms|s)$/.exec(written)
      const seconds = match ? Number(match[1]) / (match[2] === 'ms' ? 1000 : 1) : 0
      if (seconds > 0) return seconds
      const hint = 'write a whole number above 0 and a unit, ms or s: 500ms, 2s'
      ctx.addIssue({
        code: 'custom',
        message: `"${written}" is not a latency`,
        params: { code: 'CONFIG_DURATION', hint },
      })
      return z.NEVER
    })
}
