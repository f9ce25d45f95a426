import { shareSli } from '../core/evidence.ts'
import { type Missing, missing } from '../core/observation.ts'
import type { Plan, SliSpec } from '../core/plan.ts'
import type { Residual, Residuals, ResidualValue } from '../ports/residual.ts'
import type { Clock } from '../ports/runtime.ts'
import { closedMs, groupKey, type Measure, type MetricSource } from '../ports/source.ts'
import { byDeadline } from '../shared/deadline.ts'

/** Values told of a label. */
const VALUES_TOLD = 10
/** Workloads whose visitors are told apart in one answer: each is a query of its own. */
const TOLD_APART = 20

type Groups = ReadonlyMap<string, Measure>

/** Reads the newest drain time from the sources' memory: a query for all workloads that share an SLI. */
export function createResiduals(sources: ReadonlyMap<string, MetricSource>, clock: Clock): Residuals {
  async function read(sli: SliSpec, seconds: number, untilMs: number, signal: AbortSignal): Promise<Groups | Missing> {
    const source = sources.get(sli.source)
    if (!source) return missing('refused', `no source "${sli.source}" is configured any more`)
    const late = (): Missing => missing('timeout', 'the source did not answer in time')
    // To a second: the time told is then off by no more than the data is late.
    const span = { untilMs: closedMs(source, untilMs, 1), seconds, tickSeconds: seconds }
    const vectors = await byDeadline(source.history(sli, span, signal), signal, late)
    if ('kind' in vectors) return vectors
    const newest = vectors.at(-1)
    if (newest === undefined) return missing('no-baseline', `the source "${sli.source}" has no memory`)
    return newest.kind === 'missing' ? newest : newest.groups
  }

  return {
    async of(plans, signal) {
      const untilMs = clock.nowMs()
      const asked = new Map<string, Promise<Groups | Missing>>()
      const once = (sli: SliSpec, seconds: number) => {
        const key = JSON.stringify([sli, seconds])
        const answer = asked.get(key) ?? read(sli, seconds, untilMs, signal)
        asked.set(key, answer)
        return answer
      }
      const counted = await Promise.all(
        plans.map(async (plan) => ({ plan, requests: await requestsOf(plan, (sli) => once(sli, windowOf(plan))) })),
      )
      const visited = counted.filter(({ requests }) => typeof requests === 'number' && requests > 0)
      const toldApart = new Set(visited.slice(0, TOLD_APART).map(({ plan }) => plan.workload))
      const residuals = counted.map(async ({ plan, requests }): Promise<[string, Residual]> => {
        const labels = toldApart.has(plan.workload) ? plan.drain.by : []
        const by = labels.map(async ({ label, sli }) => {
          return { label, values: await valuesOf(plan, sli, (spec) => once(spec, windowOf(plan))) }
        })
        return [plan.workload, { seconds: windowOf(plan), untilMs, requests, by: await Promise.all(by) }]
      })
      return new Map(await Promise.all(residuals))
    },
  }
}

/** Of a policy without a drain time, seconds. */
const WITHOUT_DRAIN_SECONDS = 60

function windowOf({ drainSeconds }: Plan): number {
  return drainSeconds === 0 ? WITHOUT_DRAIN_SECONDS : drainSeconds
}

type Ask = (sli: SliSpec) => Promise<Groups | Missing>

async function requestsOf(plan: Plan, ask: Ask): Promise<number | Missing> {
  const name = shareSli(plan)
  const sli = plan.slis.find((one) => one.name === name)
  if (!sli) return missing('no-baseline', 'no SLI counts requests')
  const groups = await ask(sli)
  if ('kind' in groups) return groups
  const measure = groups.get(groupKey(plan.clusters.old, plan.workload))
  if (measure === undefined) return missing('empty', 'there are no series of old')
  return measure.kind === 'missing'
    ? measure
    : measure.kind === 'counts'
      ? measure.total
      : missing('bad-answer', 'a value')
}

async function valuesOf(plan: Plan, sli: SliSpec | null, ask: Ask): Promise<readonly ResidualValue[] | Missing> {
  if (sli === null) return missing('refused', 'an SLI with its own queries cannot be told apart')
  const groups = await ask(sli)
  if ('kind' in groups) return groups
  const prefix = groupKey(plan.clusters.old, '')
  const values = [...groups].flatMap(([key, measure]) =>
    key.startsWith(prefix) && measure.kind === 'value' && measure.value > 0
      ? [{ value: key.slice(prefix.length), requests: measure.value }]
      : [],
  )
  return values.toSorted((a, b) => b.requests - a.requests).slice(0, VALUES_TOLD)
}
