import { CHECK_IDS, CHECKS, type CheckRules } from '../../src/core/check.ts'
import type { ObjectRef, Plan } from '../../src/core/plan.ts'
import { samplePlan } from '../store/samples.ts'
import { PLAIN_PLAN } from '../support/plain.ts'

export const CHECKOUT: ObjectRef = { kind: 'Deployment', namespace: 'shop', name: 'checkout' }

/** A plan with every check, of a workload that has an object in both clusters. */
export function checkedPlan(changes: Partial<Plan> = {}, rules: Partial<CheckRules> = {}): Plan {
  return {
    ...samplePlan('aaaa'),
    clusters: { old: 'blue', new: 'green' },
    objects: { old: CHECKOUT, new: CHECKOUT },
    checks: CHECK_IDS.map((id) => ({ id, then: CHECKS[id].usually })),
    checkRules: { ...PLAIN_PLAN.checkRules, ...rules },
    ...changes,
  }
}
