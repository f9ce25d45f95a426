import { formatSpan } from '../../core/format.ts'
import { isMissing, type Missing, type ProbeOutcome } from '../../core/observation.ts'
import { defineCheck, type Finding, fail, listed, pass, unseen } from '../check.ts'

/** By probe. */
export type SeenProbes = Readonly<Record<string, ProbeOutcome | Missing | null>>

export const ingress = defineCheck({
  skip: ({ probes }) => (probes.some(({ address }) => address.new !== null) ? null : 'no probe has an address of NEW'),
  ask: async ({ probes }, world): Promise<SeenProbes> => {
    const ofNew = probes.filter(({ address }) => address.new !== null)
    return Object.fromEntries(
      await Promise.all(ofNew.map(async (spec) => [spec.name, await world.probe(spec)] as const)),
    )
  },
  judge: judgeIngress,
})

/** NEW answers as it should, before anybody is sent there. */
export function judgeIngress(seen: SeenProbes): Finding {
  const entries = Object.entries(seen)
  const failed = entries.flatMap(([name, outcome]) => (outcome?.kind === 'failed' ? [`${name}: ${outcome.why}`] : []))
  if (failed.length > 0) return fail(listed(failed), "see the routes and backends of NEW's ingress, and the address")
  for (const [name, outcome] of entries) if (outcome && isMissing(outcome)) return unseen(name, outcome)
  const slowest = Math.max(...entries.map(([, outcome]) => (outcome?.kind === 'passed' ? outcome.seconds : 0)))
  return pass(`${listed(entries.map(([name]) => name))} passed in at most ${formatSpan(slowest)}`)
}
