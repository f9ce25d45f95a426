import { createQuotas } from '../../src/engine/quotas.ts'
import type { TrafficScope } from '../../src/ports/traffic.ts'
import { route53 } from '../../src/traffic/route53/kind.ts'
import { TARGET_IDS } from '../conformance/traffic.ts'
import { createFakeClock, type FakeClock } from '../fakes/clock.ts'
import { adapterContext } from './adapter-context.ts'

export const ZONE = 'Z0FAKE'

/** A target's settings, without its zone, by target id. */
export type Route53Targets = Readonly<Record<string, object>>

/** The targets of the conformance suite: `a` is a.example.com, with `blue` and `green`. */
export const ROUTE53_TARGETS: Route53Targets = Object.fromEntries(
  TARGET_IDS.map((id) => [id, { record: `${id}.example.com` }]),
)

/** A scope with these targets in the zone, and the clock that it goes by. */
export function openRoute53(
  endpoint: string,
  targets: Route53Targets,
  account: object = {},
): { readonly scope: TrafficScope; readonly clock: FakeClock } {
  const clock = createFakeClock(0)
  const members = Object.entries(targets).map(([id, settings]) => ({
    id,
    settings: route53.settings.parse({ zone: ZONE, old: 'blue', new: 'green', ...settings }),
  }))
  // A test is no account whose rate anybody limits; those about the rate say so.
  const quick = { quota: { callsPerSecond: 1000, burst: 10_000 } }
  const scope = route53.open(members, route53.account?.parse({ endpoint, ...quick, ...account }) ?? never(), {
    ...adapterContext(),
    clock,
    quotas: createQuotas(clock),
  })
  return { scope, clock }
}

function never(): never {
  throw new Error('route53 has an account')
}
