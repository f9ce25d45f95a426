import { onTestFinished, vi } from 'vitest'
import { createQuotas } from '../../src/engine/quotas.ts'
import type { TrafficScope, WeightChange } from '../../src/ports/traffic.ts'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
import { elbv2 } from '../../src/traffic/elbv2/kind.ts'
import { elbv2Account } from '../../src/traffic/elbv2/settings.ts'
import { type FakeElb, startFakeElb } from '../fakes/elbv2.ts'
import { adapterContext } from './adapter-context.ts'

const ACCESS_KEY_ID = 'AKIAFAKE'

/** A fake ELB and a scope at one of its places; both end with the test. */
export interface ElbUser {
  readonly elb: FakeElb
  readonly scope: TrafficScope
  /** Messages at `warn`. */
  readonly warnings: readonly string[]
  /** The adapter's, and its quota's. */
  readonly clock: FakeClock
  read(): Promise<unknown>
  write(weightPercent: number, urgency?: WeightChange['urgency']): Promise<unknown>
  /** `level CODE: cause` of each finding. */
  inspect(): Promise<readonly string[]>
}

export async function startElbUser(
  place: { rule: string } | { listener: string },
  options: { old?: string; new?: string; accessKeyId?: string; quota?: object } = {},
): Promise<ElbUser> {
  vi.stubEnv('AWS_ACCESS_KEY_ID', options.accessKeyId ?? ACCESS_KEY_ID)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary')
  const elb = await startFakeElb(ACCESS_KEY_ID)
  const warnings: string[] = []
  const clock = createFakeClock(0)
  const context = { ...adapterContext(), clock, quotas: createQuotas(clock) }
  const log = { ...context.log, warn: (_: object, message: string) => void warnings.push(message) }
  const settings = elbv2.settings.parse({ ...place, old: options.old ?? 'blue', new: options.new ?? 'green' })
  const account = elbv2Account.parse({ endpoint: elb.url, ...(options.quota && { quota: options.quota }) })
  const scope = elbv2.open([{ id: 't', settings }], account, { ...context, log })
  onTestFinished(async () => {
    await scope.close()
    await elb.stop()
    vi.unstubAllEnvs()
  })
  const signal = () => AbortSignal.timeout(120_000)
  return {
    elb,
    scope,
    warnings,
    clock,
    read: async () => (await scope.read(['t'], signal())).get('t'),
    write: async (weightPercent, urgency = 'forward') =>
      (await scope.write([{ targetId: 't', weightPercent, ttlSeconds: null, urgency }], signal())).get('t'),
    inspect: async () =>
      (await scope.inspect(['t'], signal())).map(({ level, problem }) => `${level} ${problem.code}: ${problem.cause}`),
  }
}
