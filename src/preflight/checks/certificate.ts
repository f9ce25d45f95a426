import { isMissing, type Missing } from '../../core/observation.ts'
import type { Plan, ProbeSpec } from '../../core/plan.ts'
import type { ServedCertificate } from '../../ports/source.ts'
import { defineCheck, type Finding, fail, listed, pass, unseen } from '../check.ts'

/** By host and the address that was asked; null: there was none to ask. */
export type SeenCertificates = Readonly<Record<string, ServedCertificate | Missing | null>>

export const certificate = defineCheck({
  skip: ({ probes }) => (probes.some(isOverTls) ? null : 'no probe of NEW is over https'),
  ask: async ({ probes }, world): Promise<SeenCertificates> => {
    const asked = probes
      .filter(isOverTls)
      .map(async (probe) => [placeOf(probe), await world.certificate(probe)] as const)
    return Object.fromEntries(await Promise.all(asked))
  },
  judge: judgeCertificate,
})

/** NEW serves a certificate for each name that DNS will point at it, by a trusted chain, and for a while. */
export function judgeCertificate(seen: SeenCertificates, { checkRules }: Pick<Plan, 'checkRules'>): Finding {
  const { certificateDays } = checkRules
  const entries = Object.entries(seen)
  const hint = "see the TLS secret and the host of NEW's ingress, and what renews the certificate"
  const invalid = entries.flatMap(([place, served]) => (served?.kind === 'invalid' ? [`${place}: ${served.why}`] : []))
  if (invalid.length > 0) return fail(listed(invalid), hint)
  const days = entries.flatMap(([place, served]) =>
    served?.kind === 'valid' ? [{ place, left: served.daysLeft }] : [],
  )
  const ending = days.filter(({ left }) => left < certificateDays)
  if (ending.length > 0) {
    const told = ending.map(({ place, left }) => `${place}: the certificate ends in ${Math.floor(left)} days`)
    return fail(`${listed(told)}, at least ${certificateDays} are wanted`, hint)
  }
  for (const [place, served] of entries) if (served && isMissing(served)) return unseen(place, served)
  const least = Math.floor(Math.min(...days.map(({ left }) => left)))
  return pass(`${listed(days.map(({ place }) => place))}: trusted, for the name, for ${least} more days`)
}

function isOverTls({ url, address }: ProbeSpec): boolean {
  return address.new !== null && new URL(url).protocol === 'https:'
}

function placeOf({ url, address }: ProbeSpec): string {
  return `${new URL(url).host} at ${address.new}`
}
