import type { DrainRule, SliMeasure, SliSpec } from '../core/plan.ts'
import { isPromMeasure } from '../core/prom-measure.ts'
import { parseSelector, selectorText } from '../shared/promql/selector.ts'
import type { PolicySettings } from './schema-policy.ts'

/** The SLI that Headgate makes of a policy's own query for OLD's connections. */
export const CONNECTIONS_SLI = 'drain-connections'
const CONNECTIONS_WINDOW_SECONDS = 60

/** Whose requests carry no such label. */
const NOT_SAID = '(not said)'

export interface ResolvedDrain {
  readonly drainSeconds: number
  readonly drain: {
    readonly maxRequests: number
    readonly connections: { readonly query: string; readonly max: number } | null
    readonly by: readonly string[]
  }
}

/** The nearest layer that says each; a preset says how long. */
export function resolveDrain(layers: readonly PolicySettings[]): ResolvedDrain {
  const said = layers.flatMap(({ drain }) => drain ?? [])
  const drainSeconds = said.find((one) => one.for !== undefined)?.for
  if (drainSeconds === undefined) throw new Error('a preset leaves something out')
  return {
    drainSeconds,
    drain: {
      maxRequests: said.find(({ maxRequests }) => maxRequests !== undefined)?.maxRequests ?? 0,
      connections: said.find(({ connections }) => connections !== undefined)?.connections ?? null,
      by: said.find(({ by }) => by !== undefined)?.by ?? [],
    },
  }
}

/** The rule of a workload's plan, and the SLI that it brings along. */
export function drainOf(
  { maxRequests, connections, by }: ResolvedDrain['drain'],
  slis: readonly SliSpec[],
  old: { readonly workload: string; readonly cluster: string; readonly drainSeconds: number },
): { readonly rule: DrainRule; readonly connections: readonly SliSpec[] } {
  const counted = slis.filter(({ objectivePercent }) => objectivePercent !== null)
  // The policy's own query is PromQL, and labels are told apart in it. A source without it refuses, and OLD stays.
  const counting = counted.find(({ measure }) => isPromMeasure(measure)) ?? counted[0]
  const rule: DrainRule = {
    maxRequests,
    connections: connections && counting ? { sli: CONNECTIONS_SLI, max: connections.max } : null,
    by: by.map((label) => ({
      label,
      sli: counting ? toldApartBy(label, counting, old, Math.max(1, old.drainSeconds)) : null,
    })),
  }
  if (!connections || !counting) return { rule, connections: [] }
  const measure = { kind: 'value', value: connections.query, windowSeconds: CONNECTIONS_WINDOW_SECONDS } as const
  const { source, labels } = counting
  return { rule, connections: [{ name: CONNECTIONS_SLI, source, objectivePercent: null, labels, measure }] }
}

/**
 * The same requests, of OLD's workload alone, by the values of a label: as a value, since a series of somebody who has never
 * come before begins with its first request, and must count from there. null: own PromQL.
 */
function toldApartBy(
  label: string,
  sli: SliSpec,
  old: { readonly workload: string; readonly cluster: string },
  windowSeconds: number,
): SliSpec | null {
  const counter = counterOf(sli.measure)
  const selector = counter === null ? null : parseSelector(counter)
  if (selector === null || 'refused' in selector) return null
  const series = selectorText({
    ...selector,
    matchers: [
      ...selector.matchers,
      { label: sli.labels.cluster, op: '=', value: old.cluster },
      { label: sli.labels.workload, op: '=', value: old.workload },
    ],
  })
  // New ones from zero; others by their difference; those that began anew, or are gone, as Prometheus reckons it.
  const grown = `(${series} unless ${series} offset $window) or (${series} - ${series} offset $window >= 0) or increase(${series}[$window])`
  const told = `label_replace(${grown}, "${label}", "${NOT_SAID}", "${label}", "")`
  const value = `sum by (${sli.labels.cluster}, ${label}) (${told})`
  const { origin: _, ...rest } = sli
  return {
    ...rest,
    objectivePercent: null,
    labels: { cluster: sli.labels.cluster, workload: label },
    measure: { kind: 'value', value, windowSeconds },
  }
}

function counterOf(measure: SliMeasure): string | null {
  if (measure.kind === 'selector' || measure.kind === 'goodSelector') return measure.total
  if (measure.kind !== 'histogram') return null
  const selector = parseSelector(measure.metric)
  return 'refused' in selector ? null : selectorText({ ...selector, metric: `${selector.metric}_count` })
}
