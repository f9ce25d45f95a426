import { formatSpan } from '../../core/format.ts'
import { isMissing, type Missing } from '../../core/observation.ts'
import type { Plan } from '../../core/plan.ts'
import { defineCheck, type Finding, fail, listed, pass, skipped, unseen } from '../check.ts'

/** By name: how far each clock is ahead of ours, ms. */
export type SeenClocks = Readonly<Record<string, number | Missing>>

export const clock = defineCheck({
  skip: () => null,
  ask: async (_plan, world): Promise<SeenClocks> => {
    const sources = world.sourcesAheadMs()
    if (!world.hasClusters) return sources
    const [old, fresh] = await Promise.all([world.clusterAheadMs('old'), world.clusterAheadMs('new')])
    return { 'the API server of OLD': old, 'the API server of NEW': fresh, ...(await sources) }
  },
  judge: judgeClock,
})

/** Windows, holds and the times of samples mean the same to all. */
export function judgeClock(clocks: SeenClocks, { checkRules }: Pick<Plan, 'checkRules'>): Finding {
  const entries = Object.entries(clocks)
  if (entries.length === 0) return skipped('nothing is configured that has a clock to compare with')
  const apart = entries.flatMap(([name, ahead]) => {
    if (typeof ahead !== 'number' || Math.abs(ahead) <= checkRules.clockSeconds * 1000) return []
    return [`${name} is ${formatSpan(Math.abs(ahead) / 1000)} ${ahead > 0 ? 'ahead' : 'behind'}`]
  })
  if (apart.length > 0)
    return fail(
      `${listed(apart)}; at most ${formatSpan(checkRules.clockSeconds)} is allowed`,
      'see the time service (NTP) of that machine, and of this one',
    )
  for (const [name, ahead] of entries) if (typeof ahead === 'object' && isMissing(ahead)) return unseen(name, ahead)
  const most = Math.max(...entries.map(([, ahead]) => (typeof ahead === 'number' ? Math.abs(ahead) : 0)))
  return pass(`within ${formatSpan(most / 1000)} of ours: ${listed(entries.map(([name]) => name))}`)
}
