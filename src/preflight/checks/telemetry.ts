import { isMissing, type Missing, type SliReading } from '../../core/observation.ts'
import type { Plan } from '../../core/plan.ts'
import { defineCheck, type Finding, fail, listed, pass, unseen } from '../check.ts'

/** By SLI. */
export type SeenSlis = Readonly<Record<string, SliReading>>

export const telemetry = defineCheck({
  skip: ({ slis }) => (slis.length === 0 ? 'the workload has no SLIs' : null),
  ask: async (plan, world): Promise<SeenSlis> =>
    Object.fromEntries(plan.slis.map((spec) => [spec.name, world.sli(plan, spec)])),
  judge: judgeTelemetry,
})

/** Every SLI has fresh data of NEW: without it the first step would be blind. */
export function judgeTelemetry(seen: SeenSlis, { clusters, workload }: Pick<Plan, 'clusters' | 'workload'>): Finding {
  const unread = Object.entries(seen).flatMap(([name, reading]) => {
    const trouble = troubleOf(reading)
    return trouble === null ? [] : [{ name, trouble }]
  })
  const empty = unread.filter(({ trouble }) => trouble.why === 'empty')
  if (empty.length > 0)
    return fail(
      `no fresh series of ${clusters.new} and ${workload} for ${listed(empty.map(({ name }) => name))}`,
      'see that NEW is scraped, with the labels of the SLI; where series come with the first request, probes or `warm` make them',
    )
  const [first] = unread
  if (first) return unseen(first.name, first.trouble)
  return pass(`fresh series of NEW for ${listed(Object.keys(seen))}`)
}

/** Why there is nothing of NEW; null: there is. */
function troubleOf(reading: SliReading): Missing | null {
  if (reading.kind === 'missing') return reading
  const fresh = reading.kind === 'value' ? reading.value.new : reading.tick.new
  return typeof fresh === 'object' && isMissing(fresh) ? fresh : null
}
