import { isMissing, type Missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import type { AskedSli, MetricSource, SliVector, Tick } from '../../ports/source.ts'
import type { Sums } from '../counters.ts'
import { rangesOf, ticksOf } from '../ticks.ts'
import type { Said, TakeSeries } from './answer.ts'
import { createClient } from './client.ts'
import { type Fold, momentsOf } from './fold.ts'
import { GroupKeys } from './keys.ts'
import { createNoting } from './noting.ts'
import { type Parts, partsOf } from './parts.ts'
import { type GroupQuestions, type PartQuestions, pastQuestionsOf, questionsOf } from './questions.ts'
import type { PrometheusSettings } from './settings.ts'
import { ofItsClusters } from './whose.ts'

/** Prometheus refuses more than 11,000 points a series in one range query. */
const RANGE_POINTS = 10_000

const NO_SUMS: Sums = new Map()

/** Evidence from Prometheus, or from whatever else answers its query API. */
export function openPrometheus(settings: PrometheusSettings, context: AdapterContext): MetricSource {
  const client = createClient(settings, context)
  const keys = new GroupKeys()
  const note = createNoting(context.log, 'prometheus')
  // A sample carries the time at which its scrape began, and arrives when it has ended. Asked at once, the newest scrape
  // would be unseen now and belong to the past at the next tick, and what it counted would be lost: for a target whose
  // scrapes always fall just before a sweep, everything. So both ends of each tick are looked at `delay` later.
  const delayMs = settings.delaySeconds * 1000

  return {
    async poll(slis, tick, signal) {
      const send: Send = (query, take) => client.instant(query, tick.atMs - delayMs, take, signal).then(note(query))
      const asked = {
        sums: new Map<string, Promise<Sums | Missing>>(),
        parts: new Map<string, Promise<Parts | Missing>>(),
      }
      const pairs = slis.map(
        async (sli) => [sli, await pollOne(sli, tick, settings, { send, keys, ...asked })] as const,
      )
      return new Map(await Promise.all(pairs))
    },

    async history(sli, span, signal) {
      const tickMs = span.tickSeconds * 1000
      const questions = pastQuestionsOf(ofItsClusters(sli), tickMs, settings)
      if (isMissing(questions)) return questions
      const ticks = ticksOf(span)
      const answers: ReadonlyMap<number, Sums>[] = []
      for (const query of questions.queries) {
        const fold = momentsOf(sli.labels, keys)
        for (const { firstMs, lastMs } of rangesOf(ticks, RANGE_POINTS)) {
          const range = { fromMs: firstMs - delayMs, toMs: lastMs - delayMs, stepMs: tickMs }
          const said = note(query)(await client.range(query, range, fold.take, signal))
          if (isMissing(said)) return said
        }
        const moments = fold.end()
        if (isMissing(moments)) return moments
        answers.push(moments)
      }
      return ticks.map((tick): SliVector => {
        const sums = answers.map((moments) => moments.get(tick.atMs - delayMs) ?? NO_SUMS)
        return { kind: 'vector', ...tick, groups: questions.read(sums) }
      })
    },

    clockAheadMs: (signal) => client.clockAheadMs(signal),

    close: () => client.close(),
  }
}

type Send = (query: string, take: TakeSeries) => Promise<Said | Missing>

/** What a query gives, read while it comes. */
async function folded<T extends object>(query: string, fold: Fold<T>, send: Send): Promise<T | Missing> {
  const said = await send(query, fold.take)
  return isMissing(said) ? said : fold.end()
}

/** The questions of a tick: what several SLIs ask is sent once. An answer is kept as what is read from it, never whole. */
interface Asked {
  readonly send: Send
  readonly keys: GroupKeys
  readonly sums: Map<string, Promise<Sums | Missing>>
  readonly parts: Map<string, Promise<Parts | Missing>>
}

async function pollOne(sli: AskedSli, tick: Tick, settings: PrometheusSettings, asked: Asked): Promise<SliVector> {
  const questions = questionsOf(ofItsClusters(sli), tick.atMs - tick.sinceMs, settings)
  if (isMissing(questions)) return questions
  const groups =
    questions.kind === 'groups' ? await groupsOf(sli, questions, asked) : await groupsOfParts(sli, questions, asked)
  return isMissing(groups) ? groups : { kind: 'vector', ...tick, groups }
}

async function groupsOf({ labels }: SliSpec, { queries, read }: GroupQuestions, { send, keys, sums }: Asked) {
  const answers = await allOf(queries, labels, sums, async (query) => {
    const moments = await folded(query, momentsOf(labels, keys), send)
    if (isMissing(moments)) return moments
    // All series of an instant query carry the time that was asked for.
    const [only = NO_SUMS] = moments.values()
    return only
  })
  return isMissing(answers) ? answers : read(answers)
}

async function groupsOfParts(
  { labels }: SliSpec,
  { queries, within, read }: PartQuestions,
  { send, keys, parts }: Asked,
) {
  const answers = await allOf(queries, labels, parts, (query) => folded(query, partsOf(labels, within, keys), send))
  return isMissing(answers) ? answers : read(answers)
}

/** What each query gives, in their order; missing: one of them gives nothing. */
async function allOf<T extends object>(
  queries: readonly string[],
  labels: SliSpec['labels'],
  asked: Map<string, Promise<T | Missing>>,
  ask: (query: string) => Promise<T | Missing>,
): Promise<readonly T[] | Missing> {
  const sent = queries.map((query) => {
    const key = JSON.stringify([query, labels])
    const answer = asked.get(key) ?? ask(query)
    asked.set(key, answer)
    return answer
  })
  const answers: T[] = []
  for (const answer of await Promise.all(sent)) {
    if (isMissing(answer)) return answer
    answers.push(answer)
  }
  return answers
}
