import { Agent } from 'undici'
import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import type { MetricSource, SliVector } from '../../ports/source.ts'
import { mapBounded } from '../../shared/bounded.ts'
import { BOUND_LABEL, bucketsOf, measureAll } from '../buckets.ts'
import { countersOf, joinCounts } from '../counters.ts'
import { type Baseline, grow, seriesKey } from './growth.ts'
import { readPage } from './page.ts'
import { compileQuery, type Query, select } from './query.ts'
import type { ScrapeSettings, ScrapeTarget } from './settings.ts'
import { bucketReadings, measureGroups, type Question, sumReadings, type TargetGrowth } from './sums.ts'

/** How many pages are fetched at once. */
const FETCHES = 16

/**
 * Evidence from pages of metrics that Headgate reads itself, so that no Prometheus is needed. It remembers what each
 * counter showed last, so the caller must use every answer: what was counted in it does not come again.
 */
export function openScrape(settings: ScrapeSettings): MetricSource {
  const agent = new Agent({ maxResponseSize: settings.maxBytes, connect: { allowH2: false } })
  const memories = settings.targets.map((target) => ({ target, baselines: new Map<string, Baseline>() }))

  const readTarget = async (memory: Memory, queries: readonly Query[], atMs: number, signal: AbortSignal) => {
    const metrics = new Set(queries.map((query) => query.metric))
    const isWanted = (metric: string) => metrics.has(metric)
    const samples = await readPage({ url: memory.target.url, settings, agent, signal, isWanted })
    return growthOf(memory, samples, queries, { atMs, gapToleranceMs: settings.gapToleranceSeconds * 1000 })
  }

  return {
    async poll(slis, tick, signal) {
      const questions = new Map(slis.map((sli) => [sli, questionOf(sli)]))
      const queries = new Map<string, Query>()
      for (const question of questions.values())
        if (!isMissing(question)) for (const query of question.queries) queries.set(query.key, query)
      const wanted = [...queries.values()]
      const targets =
        wanted.length === 0
          ? []
          : await mapBounded(memories, FETCHES, (memory) => readTarget(memory, wanted, tick.atMs, signal))
      return new Map(
        [...questions].map(([sli, question]): [SliSpec, SliVector] => {
          if (isMissing(question)) return [sli, question]
          const groups = measureGroups(sli.labels, question, targets)
          return [sli, isMissing(groups) ? groups : { kind: 'vector', ...tick, groups }]
        }),
      )
    },

    // It remembers one page a target, so there is no past to tell.
    history: async () => [],

    close: () => agent.destroy(),
  }
}

interface Memory {
  readonly target: ScrapeTarget
  /** By query. */
  readonly baselines: Map<string, Baseline>
}

function growthOf(
  { target, baselines }: Memory,
  samples: Awaited<ReturnType<typeof readPage>>,
  queries: readonly Query[],
  { atMs, gapToleranceMs }: { readonly atMs: number; readonly gapToleranceMs: number },
): TargetGrowth {
  const seen = (query: string) => [...(baselines.get(query)?.series.values() ?? [])].map(({ labels }) => labels)
  if (isMissing(samples)) return { target, failure: samples, seen }
  const grown = new Map<string, ReturnType<typeof grow>['grown']>()
  for (const query of queries) {
    const readings = select(query, samples, target.labels)
    const growth = grow(baselines.get(query.key), readings, atMs, gapToleranceMs, query.familyOf)
    baselines.set(query.key, growth.baseline)
    grown.set(query.key, growth.grown)
  }
  return { target, failure: null, grown: (query) => grown.get(query) ?? null, seen }
}

/** The question with its queries compiled. */
type Compiled = Question & { readonly queries: readonly Query[] }

function questionOf({ measure, labels }: SliSpec): Compiled | Missing {
  switch (measure.kind) {
    case 'selector':
    case 'goodSelector': {
      const counters = countersOf(measure)
      if (isMissing(counters)) return counters
      const [total, part] = [compileQuery(counters.total), compileQuery(counters.part)]
      if (isMissing(total)) return total
      if (isMissing(part)) return part
      return {
        queries: [total, part],
        join: ([totals = [], parts = []]) =>
          joinCounts(sumReadings(totals, labels), sumReadings(parts, labels), counters),
      }
    }
    case 'histogram': {
      const buckets = bucketsOf(measure)
      if (isMissing(buckets)) return buckets
      const query = compileQuery(buckets.each, ({ [BOUND_LABEL]: _, ...rest }) => seriesKey(rest))
      if (isMissing(query)) return query
      return { queries: [query], join: ([readings = []]) => measureAll(bucketReadings(readings, labels), measure) }
    }
    case 'nativeHistogram':
      return missing('refused', 'pages of text have no native histograms')
    case 'query':
    case 'value':
    case 'ask':
    case 'askValue':
      return missing('refused', `the source scrape has no language for an SLI of the form ${measure.kind}`)
  }
}
