import { Agent } from 'undici'
import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import type { MetricSource, SliVector } from '../../ports/source.ts'
import { mapBounded } from '../bounded.ts'
import { type Counters, countersOf } from '../counters.ts'
import { type Baseline, grow } from './growth.ts'
import { readPage } from './page.ts'
import { compileQuery, type Query, select } from './query.ts'
import type { ScrapeSettings, ScrapeTarget } from './settings.ts'
import { sumGroups, type TargetGrowth } from './sums.ts'

/** How many pages are fetched at once. */
const FETCHES = 16

/** An SLI as this source can answer it. */
interface Question {
  readonly counters: Counters
  readonly total: Query
  readonly part: Query
}

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
        if (!isMissing(question)) for (const query of [question.total, question.part]) queries.set(query.key, query)
      const wanted = [...queries.values()]
      const targets =
        wanted.length === 0
          ? []
          : await mapBounded(memories, FETCHES, (memory) => readTarget(memory, wanted, tick.atMs, signal))
      return new Map(
        [...questions].map(([sli, question]): [SliSpec, SliVector] => {
          if (isMissing(question)) return [sli, question]
          const groups = sumGroups(sli.labels, question, targets)
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
    const growth = grow(baselines.get(query.key), readings, atMs, gapToleranceMs)
    baselines.set(query.key, growth.baseline)
    grown.set(query.key, growth.grown)
  }
  return { target, failure: null, grown: (query) => grown.get(query) ?? null, seen }
}

function questionOf({ measure }: SliSpec): Question | Missing {
  if (measure.kind === 'query' || measure.kind === 'value')
    return missing('refused', `the source scrape has no PromQL for an SLI of the form ${measure.kind}`)
  const counters = countersOf(measure)
  if (isMissing(counters)) return counters
  const total = compileQuery(counters.total)
  if (isMissing(total)) return total
  const part = compileQuery(counters.part)
  return isMissing(part) ? part : { counters, total, part }
}
