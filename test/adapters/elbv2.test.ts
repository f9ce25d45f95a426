import { beforeAll, vi } from 'vitest'
import { elbv2 } from '../../src/traffic/elbv2/kind.ts'
import { type Elbv2Account, elbv2Account } from '../../src/traffic/elbv2/settings.ts'
import { TARGET_IDS, trafficConformance } from '../conformance/traffic.ts'
import { type FakeElb, forwardTo, NLB_LISTENER_ARN, ruleArn, startFakeElb } from '../fakes/elbv2.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { combinedScope } from '../support/combined-scope.ts'

const CANARY = 'canary-4f1c9'
const ACCESS_KEY_ID = 'AKIAFAKE'

beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', ACCESS_KEY_ID)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CANARY)
  return () => vi.unstubAllEnvs()
})

/** Runs the suite at places that these settings name, one for each target. */
function conformance(name: string, settingsOf: (id: string) => { arn: string; settings: object }): void {
  trafficConformance(name, {
    canary: CANARY,
    inexpressiblePercents: [],
    async createPlace() {
      const elb = await startFakeElb(ACCESS_KEY_ID)
      for (const id of TARGET_IDS.filter((one) => one !== 'ghost'))
        elb.actions.set(settingsOf(id).arn, [forwardTo({ blue: 1, green: 0 })])
      return {
        open() {
          const targets = TARGET_IDS.map((id) => ({ id, settings: elbv2.settings.parse(settingsOf(id).settings) }))
          return combinedScope(elbv2, targets, accountAt(elb), adapterContext())
        },
        async writeForeign(targetId, weightPercent) {
          elb.actions.set(settingsOf(targetId).arn, [forwardTo({ blue: 100 - weightPercent, green: weightPercent })])
        },
        async hang() {
          elb.instead = () => true
        },
        stop: elb.stop,
        remove: elb.stop,
      }
    },
  })
}

/** An account of its own: its client ends with the scopes of this one opening. */
function accountAt(elb: FakeElb): Elbv2Account {
  return elbv2Account.parse({ endpoint: elb.url, quota: { callsPerSecond: 1000, burst: 10_000 } })
}

conformance('elbv2, with rules of an ALB', (id) => {
  const arn = ruleArn(id)
  return { arn, settings: { rule: arn, old: 'blue', new: 'green' } }
})

conformance('elbv2, with listeners of an NLB', (id) => {
  const arn = NLB_LISTENER_ARN + id
  return { arn, settings: { listener: arn, old: 'blue', new: 'green' } }
})
