import { describe, expect, test } from 'vitest'
import { type DecommissionInput, decideDecommission } from '../../src/core/decommission.ts'
import { missing } from '../../src/core/observation.ts'
import { samplePlan, sampleState } from '../store/samples.ts'

const plan = { ...samplePlan('p'), drainSeconds: 3600 }
const drain = { quietMs: 3_600_000, untilMs: 1, requests: 0, lastRequestAtMs: null }
const drained = sampleState('checkout', { phase: { name: 'completed' }, drain })
const nobody = { seconds: 3600, requests: 0 }
const unseen = { seconds: 3600, requests: missing('empty', 'there are no series of old') }
const none = { kind: 'replicas', ready: 0, wanted: 0, atMs: 0 } as const

const CASES: Readonly<Record<string, { given: Partial<DecommissionInput>; mayGo: boolean; says: string }>> = {
  'drained, and nobody came since: it may go': {
    given: {},
    mayGo: true,
    says: 'old was quiet for 1 h, and now has 0 requests in the last 1 h',
  },
  'one request in ten thousand is one too many': {
    given: { residual: { seconds: 3600, requests: 0.2 } },
    mayGo: false,
    says: '1 request came to old in the last 1 h, 0 allowed',
  },
  'as many as the policy allows are quiet': {
    given: { residual: { seconds: 3600, requests: 3 }, plan: { ...plan, drain: { ...plan.drain, maxRequests: 3 } } },
    mayGo: true,
    says: 'old was quiet for 1 h, and now has 3 requests in the last 1 h',
  },
  'what cannot be seen may not go': {
    given: { residual: unseen },
    mayGo: false,
    says: 'what comes to old cannot be seen: there are no series of old',
  },
  'without replicas nothing can serve, so no series are missed': {
    given: { residual: unseen, oldReplicas: none },
    mayGo: true,
    says: 'old was quiet for 1 h, and now has no replicas',
  },
  'replicas that cannot be counted prove nothing': {
    given: { residual: unseen, oldReplicas: missing('timeout', 'no answer') },
    mayGo: false,
    says: 'what comes to old cannot be seen: there are no series of old',
  },
  'at 100 % by weight alone it may not go': {
    given: { state: { ...drained, phase: { name: 'baking' }, drain: null } },
    mayGo: false,
    says: 'it is baking; old was watched to be quiet for 0 s of 1 h',
  },
  'a person who went on before the end has proven nothing': {
    given: { state: { ...drained, drain: { ...drain, quietMs: 60_000 } } },
    mayGo: false,
    says: 'old was watched to be quiet for 1 min of 1 h',
  },
  'a policy without a drain time proves nothing': {
    given: { plan: { ...plan, drainSeconds: 0 } },
    mayGo: false,
    says: 'old was watched to be quiet for 1 h of 0 s',
  },
}

describe('whether OLD may go', () => {
  for (const [name, { given, mayGo, says }] of Object.entries(CASES))
    test(name, () => {
      const decided = decideDecommission({ state: drained, plan, residual: nobody, oldReplicas: null, ...given })
      expect({ mayGo: decided.mayGo, says: decided.reasons.join('; ') }).toEqual({ mayGo, says })
    })
})
