import { expect, onTestFinished, vi } from 'vitest'
import { createQuotas } from '../../src/engine/quotas.ts'
import type { TrafficReading, TrafficScope, WeightChange, WeightReading, WriteResult } from '../../src/ports/traffic.ts'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
import { route53 } from '../../src/traffic/route53/kind.ts'
import { route53Account } from '../../src/traffic/route53/settings.ts'
import { TARGET_IDS } from '../conformance/traffic.ts'
import { FAKE_ACCESS_KEY, type FakeRoute53, type FakeRoute53Options, startFakeRoute53 } from '../fakes/route53.ts'
import type { FakeRecord } from '../fakes/route53-zone.ts'
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
  const scope = route53.open(members, route53Account.parse({ endpoint, ...quick, ...account }), {
    ...adapterContext(),
    clock,
    quotas: createQuotas(clock),
  })
  return { scope, clock }
}

/** The strict fake with one zone, example.com, and credentials for it, all ending with the test. */
export async function startZone(options: FakeRoute53Options = {}): Promise<FakeRoute53> {
  vi.stubEnv('AWS_ACCESS_KEY_ID', FAKE_ACCESS_KEY)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'none')
  const fake = await startFakeRoute53(options)
  onTestFinished(async () => {
    await fake.stop()
    vi.unstubAllEnvs()
  })
  fake.addZone(ZONE, 'example.com')
  return fake
}

/** Short ways to use a scope over a fake. */
export interface Route53User {
  readonly scope: TrafficScope
  readonly clock: FakeClock
  read(targetId?: string): Promise<WeightReading | undefined>
  readAll(): Promise<ReadonlyMap<string, WeightReading>>
  /** By target id; what is not said is a step forward to 0 % that leaves the TTL. */
  write(changes: Readonly<Record<string, Partial<WeightChange>>>): Promise<Record<string, WriteResult>>
  /** Each finding as `level CODE: cause`. */
  inspect(): Promise<readonly string[]>
}

export const SHOP = { record: 'shop.example.com' }
export const APPLIED: WriteResult = { kind: 'applied' }

/** Puts the records there, and opens a scope with the targets: by default `shop`, with `blue` and `green` of its name. */
export function useZone(
  fake: FakeRoute53,
  records: readonly FakeRecord[],
  targets: Route53Targets = { shop: SHOP },
  account: object = {},
): Route53User {
  fake.seed(ZONE, records)
  const { scope, clock } = openRoute53(fake.url, targets, account)
  onTestFinished(() => scope.close())
  const signal = AbortSignal.timeout(120_000)
  return {
    scope,
    clock,
    read: async (id = 'shop') => (await scope.read([id], signal)).get(id),
    readAll: () => scope.read(Object.keys(targets), signal),
    write: async (changes) => {
      const whole = Object.entries(changes).map(
        ([targetId, parts]): WeightChange => ({
          targetId,
          weightPercent: 0,
          ttlSeconds: null,
          urgency: 'forward',
          ...parts,
        }),
      )
      return Object.fromEntries(await scope.write(whole, signal))
    },
    inspect: async () => {
      const findings = await scope.inspect(Object.keys(targets), signal)
      return findings.map(({ level, problem }) => `${level} ${problem.code}: ${problem.cause}`)
    },
  }
}

export function reading(parts: Partial<TrafficReading>): unknown {
  return expect.objectContaining({ kind: 'weight', ...parts })
}

/** How many calls of an action the fake has had. */
export function countOf(fake: FakeRoute53, action: string): number {
  return fake.calls.filter((call) => call.action === action).length
}
