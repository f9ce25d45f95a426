import { z } from 'zod'
import type { Harm, SliMeasure } from '../core/plan.ts'
import { parseSelector, type Selector, selectorText } from '../shared/promql/selector.ts'
import { about, duration, formatSeconds } from '../shared/schema.ts'
import { selector } from './promql.ts'
import { ratioMeasure, windowName } from './recorded-ratio.ts'
import { text } from './schema-names.ts'
import type { SliSettings } from './schema-sli.ts'
import { common, objective, worst } from './schema-sli-keys.ts'

/** An SLI whose definition is in a file that has not been read yet. */
export interface OpenSloSettings extends Pick<SliSettings, 'source' | 'labels'> {
  readonly openslo: { readonly file: string; readonly slo: string | null }
  /** Which of the SLO's objectives; null: its only one. */
  readonly objectivePercent: number | null
  /** null: what its form usually has. */
  readonly worst: Harm | null
}

export const opensloForm = z
  .strictObject({
    openslo: z
      .strictObject({
        file: text().meta(about("OpenSLO file (v1), relative to the config's folder", 'slos/checkout.yaml')),
        slo: text()
          .optional()
          .meta(about('Name of the SLO; needed where the file has several', 'checkout-availability')),
      })
      .meta(about('An SLO in an OpenSLO file, whose objective and counters are taken', { file: 'slos/checkout.yaml' })),
    objective: objective.optional().meta(about('Which of its objectives; needed where the SLO has several', '99.9%')),
    worst: z
      .enum(['halt', 'revert'])
      .optional()
      .meta(about('The worst that it may cause; by default `halt` for a histogram, else `revert`', 'revert')),
    ...common,
  })
  .transform(({ openslo: { file, slo }, objective: wanted, worst: harm, ...rest }): OpenSloSettings => {
    const { source, labels } = rest
    return {
      source,
      labels,
      openslo: { file, slo: slo ?? null },
      objectivePercent: wanted ?? null,
      worst: harm ?? null,
    }
  })

/** Longer ones would make up most of a step's evidence from before the step. */
const LONGEST_WINDOW_SECONDS = 300

const ratioKeys = {
  total: counter().meta(
    about('Counter of all events of the ratio: a ratio alone says nothing of how many', 'http_requests_total'),
  ),
  workload: text()
    .optional()
    .meta(about('The one workload that the ratio is of; left out: its labels say whose it is', 'checkout')),
  window: duration({ minSeconds: 30 })
    .prefault('5m')
    .meta(about('The recorded window that is read: at most 5m', '5m'))
    .superRefine((seconds, ctx) => {
      if (seconds <= LONGEST_WINDOW_SECONDS) return
      ctx.addIssue({
        code: 'custom',
        message: `a ratio over ${formatSeconds(seconds)} cannot be told from what was before a step`,
        params: {
          code: 'CONFIG_WRONG_VALUE',
          hint: 'read the shortest window that is recorded, at most 5m; where there is none, record that one, or count by `total` and `bad`',
        },
      })
    }),
}

export const slothForm = z
  .strictObject({
    objective,
    sloth: z
      .strictObject({
        slo: text().optional().meta(about("Sloth's name of the SLO, `sloth_slo`", 'requests-availability')),
        service: text()
          .optional()
          .meta(about('`sloth_service`; left out: every service, each the workload of its name', 'checkout')),
        id: text().optional().meta(about('`sloth_id`, instead of the name', 'checkout-requests-availability')),
        ...ratioKeys,
      })
      .meta(about('Ratios that the rules of Sloth record', { slo: 'availability', total: 'http_requests_total' })),
    worst: worst('revert'),
    ...common,
  })
  .superRefine(({ sloth: { slo, id } }, ctx) => {
    if (slo !== undefined || id !== undefined) return
    ctx.addIssue({
      code: 'custom',
      path: ['sloth'],
      message: 'nothing says which SLO of Sloth it is',
      params: { code: 'CONFIG_MISSING_KEY', hint: 'add `slo:` with the value of the label sloth_slo, or `id:`' },
    })
  })
  .transform(({ sloth, ...rest }): SliSettings => {
    const { slo, service, id, workload, window: windowSeconds, total } = sloth
    const onlyOf = workload ?? service
    const ratio: Selector = {
      metric: `slo:sli_error:ratio_rate${windowName(windowSeconds)}`,
      matchers: matchersOf({ sloth_id: id, sloth_service: service, sloth_slo: slo }),
    }
    const whose = workload === undefined ? { label: 'sloth_service' } : { workload }
    const measure = ratioMeasure({ ratio, whose, total, labels: rest.labels, windowSeconds })
    return recorded(rest, measure, { tool: 'sloth', of: selectorText(ratio) }, onlyOf)
  })

export const pyrraForm = z
  .strictObject({
    objective,
    pyrra: z
      .strictObject({
        slo: text().meta(about("Pyrra's name of the SLO, the label `slo`", 'checkout-errors')),
        ...ratioKeys,
      })
      .meta(about('Ratios that the rules of Pyrra record', { slo: 'checkout-errors', total: 'http_requests_total' })),
    worst: worst('revert'),
    ...common,
  })
  .transform(({ pyrra, ...rest }): SliSettings => {
    const { slo, workload, window: windowSeconds, total } = pyrra
    const counted = parseSelector(total)
    const metric = 'refused' in counted ? '' : counted.metric
    // Pyrra names its ratio after the counter, and calls it a burn rate.
    const name = metric.replace(/_total$/, '').replace(/_count$/, '')
    const ratio = { metric: `${name}:burnrate${windowName(windowSeconds)}`, matchers: matchersOf({ slo }) }
    const whose = workload === undefined ? { label: rest.labels.workload } : { workload }
    const measure = ratioMeasure({ ratio, whose, total, labels: rest.labels, windowSeconds })
    return recorded(rest, measure, { tool: 'pyrra', of: selectorText(ratio) }, workload)
  })

function recorded(
  rest: Pick<SliSettings, 'labels' | 'worst'> & { objective: number; source?: string | undefined },
  measure: SliMeasure,
  origin: NonNullable<SliSettings['origin']>,
  onlyOf: string | undefined,
): SliSettings {
  const { source, labels, worst: harm, objective: objectivePercent } = rest
  const known = { source, labels, worst: harm, objectivePercent, measure, bound: null, origin }
  return onlyOf === undefined ? known : { ...known, onlyOf }
}

function matchersOf(values: Readonly<Record<string, string | undefined>>): Selector['matchers'] {
  return Object.entries(values).flatMap(([label, value]) =>
    value === undefined ? [] : [{ label, op: '=', value } as const],
  )
}

/** A selector of a counter, and of nothing that was worked out from counters: that has no growth of its own. */
function counter() {
  return selector().superRefine((written, ctx) => {
    const read = parseSelector(written)
    if ('refused' in read || !/:|^pyrra_/.test(read.metric)) return
    ctx.addIssue({
      code: 'custom',
      message: `${read.metric} is recorded by a rule: it falls when one of its counters goes, and is no counter itself`,
      params: { code: 'CONFIG_PROMQL', hint: 'name the counter that the rule reads, such as http_requests_total' },
    })
  })
}
