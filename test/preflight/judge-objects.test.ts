import { describe, expect, test } from 'vitest'
import type { CheckRules } from '../../src/core/check.ts'
import { missing } from '../../src/core/observation.ts'
import type { Plan } from '../../src/core/plan.ts'
import type { ClusterWorkload, DisruptionBudget } from '../../src/ports/cluster.ts'
import type { Finding } from '../../src/preflight/check.ts'
import { judgeApis } from '../../src/preflight/checks/apis.ts'
import type { SeenWorkloads } from '../../src/preflight/checks/both.ts'
import { judgeDisruption } from '../../src/preflight/checks/disruption.ts'
import { judgeObjects } from '../../src/preflight/checks/objects.ts'
import { judgeParity } from '../../src/preflight/checks/parity.ts'
import { judgePermissions } from '../../src/preflight/checks/permissions.ts'
import { judgeStateful } from '../../src/preflight/checks/stateful.ts'
import { READY } from '../fakes/cluster.ts'
import { CHECKOUT, checkedPlan } from './plan.ts'

const plan = checkedPlan()
const late = missing('timeout', 'no answer')

/** Outcome and sentence, as a table shows them best. */
type Want = readonly [Finding['outcome'], string]

function said({ outcome, sentence }: Finding): Want {
  return [outcome, sentence]
}

const ready = (changes: Partial<ClusterWorkload> = {}): ClusterWorkload => ({ ...READY, ...changes })

test('only a failure comes with a hint, and each does', () => {
  const found = [
    judgeObjects({ old: READY, new: READY }, plan),
    judgeObjects({ old: READY, new: null }, plan),
    judgeObjects({ old: READY, new: late }, plan),
  ]
  expect(found.map(({ outcome, hint }) => [outcome, hint === null])).toEqual([
    ['pass', true],
    ['fail', false],
    ['missing', true],
  ])
})

describe('objects', () => {
  const cases: Record<string, { seen: Partial<SeenWorkloads>; want: Want }> = {
    'all replicas ready': {
      seen: {},
      want: ['pass', '3 of 3 replicas of Deployment shop/checkout in NEW are ready'],
    },
    'one is not ready': {
      seen: { new: ready({ readyReplicas: 2 }) },
      want: ['fail', 'only 2 of 3 replicas of Deployment shop/checkout in NEW are ready'],
    },
    'fewer than in OLD, which capacity is for': {
      seen: { new: ready({ readyReplicas: 1, wantedReplicas: 1 }) },
      want: ['pass', '1 of 1 replicas of Deployment shop/checkout in NEW are ready'],
    },
    'scaled to nothing': {
      seen: { new: ready({ readyReplicas: 0, wantedReplicas: 0 }) },
      want: ['fail', 'Deployment shop/checkout in NEW is scaled to 0 replicas'],
    },
    'changed a moment ago': {
      seen: { new: ready({ isObserved: false }) },
      want: ['fail', 'Deployment shop/checkout in NEW was changed, and its controller has not seen it yet'],
    },
    'not in NEW': { seen: { new: null }, want: ['fail', 'NEW has no Deployment shop/checkout'] },
    'not in OLD': { seen: { old: null }, want: ['fail', 'OLD has no Deployment shop/checkout'] },
    'not in NEW, and OLD does not answer': {
      seen: { new: null, old: late },
      want: ['fail', 'NEW has no Deployment shop/checkout'],
    },
    'NEW does not answer': {
      seen: { new: late },
      want: ['missing', 'Deployment shop/checkout of NEW: timeout, no answer'],
    },
    'OLD does not answer': {
      seen: { old: late },
      want: ['missing', 'Deployment shop/checkout of OLD: timeout, no answer'],
    },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, want }) => {
    expect(said(judgeObjects({ old: READY, new: READY, ...seen }, plan))).toEqual(want)
  })
})

describe('parity', () => {
  const image = (name: string) => ({ containers: [{ name: 'app', image: name }] })
  const config = (digest: string | null, name = 'settings') => ({ configs: [{ name, digest }] })
  type Sides = { old?: Partial<ClusterWorkload>; new?: Partial<ClusterWorkload>; rules?: Partial<CheckRules> }
  const cases: Record<string, Sides & { want: Want }> = {
    'the same images and config': { want: ['pass', '1 image and 1 ConfigMap compared with those of OLD'] },
    'another tag': {
      new: image('registry.example.com/shop/checkout:1.5'),
      want: [
        'fail',
        'container app has registry.example.com/shop/checkout:1.4 in OLD and registry.example.com/shop/checkout:1.5 in NEW',
      ],
    },
    'the same image from the registry of another region': {
      new: image('registry.eu.example.com:5000/shop/checkout:1.4'),
      want: ['pass', '1 image and 1 ConfigMap compared with those of OLD'],
    },
    'the same name of somebody else': {
      old: image('shop/checkout:1.4'),
      new: image('bakery/checkout:1.4'),
      want: ['fail', 'container app has shop/checkout:1.4 in OLD and bakery/checkout:1.4 in NEW'],
    },
    'a container more in OLD': {
      old: { containers: [...READY.containers, { name: 'proxy', image: 'envoy:1' }] },
      want: ['fail', 'container proxy is not in NEW'],
    },
    'a container more in NEW': {
      new: { containers: [...READY.containers, { name: 'proxy', image: 'envoy:1' }] },
      want: ['fail', 'container proxy is not in OLD'],
    },
    'other data in a ConfigMap': {
      new: config('bb'),
      want: ['fail', 'ConfigMap settings has other data in NEW than in OLD'],
    },
    'other data where it is meant to be so': {
      new: config('bb'),
      rules: { mayDiffer: ['settings'] },
      want: ['pass', '1 image and 1 ConfigMap compared with those of OLD'],
    },
    'a ConfigMap that nobody made in NEW': {
      new: config(null),
      want: ['fail', 'ConfigMap settings is not there in NEW'],
    },
    'a ConfigMap that NEW does not use': {
      new: { configs: [] },
      want: ['fail', 'ConfigMap settings is not used in NEW'],
    },
    'a ConfigMap that OLD does not use': {
      old: { configs: [] },
      want: ['fail', 'ConfigMap settings is not used in OLD'],
    },
    'a deploy in OLD': {
      old: { updatedReplicas: 1 },
      want: ['fail', 'a deploy is under way in OLD: 1 of 3 replicas updated'],
    },
    'a deploy in NEW that has just begun': {
      new: { isObserved: false },
      want: ['fail', 'a deploy is under way in NEW: 3 of 3 replicas updated'],
    },
    'several at once': {
      new: { ...config('bb'), ...image('registry.example.com/shop/checkout:2'), updatedReplicas: 0 },
      want: [
        'fail',
        'a deploy is under way in NEW: 0 of 3 replicas updated; container app has registry.example.com/shop/checkout:1.4 in OLD ' +
          'and registry.example.com/shop/checkout:2 in NEW; ConfigMap settings has other data in NEW than in OLD',
      ],
    },
  }
  test.each(Object.entries(cases))('%s', (_, { old, new: fresh, rules, want }) => {
    expect(said(judgeParity({ old: ready(old), new: ready(fresh) }, checkedPlan({}, rules)))).toEqual(want)
  })

  test.each<[string, SeenWorkloads, Want]>([
    ['gone from NEW', { old: READY, new: null }, ['fail', 'NEW has no Deployment shop/checkout']],
    [
      'NEW does not answer',
      { old: READY, new: late },
      ['missing', 'Deployment shop/checkout of NEW: timeout, no answer'],
    ],
  ])('%s', (_, seen, want) => {
    expect(said(judgeParity(seen, plan))).toEqual(want)
  })
})

describe('apis', () => {
  const kinds = ['apps/v1/Deployment', 'policy/v1beta1/PodDisruptionBudget', 'example.com/v1/Widget']
  const cases: Record<string, { seen: Partial<Parameters<typeof judgeApis>[0]>; want: Want }> = {
    'all served': {
      seen: {},
      want: ['pass', 'NEW serves apps/v1/Deployment, policy/v1beta1/PodDisruptionBudget and example.com/v1/Widget'],
    },
    'a version that was dropped': {
      seen: { served: new Set(['apps/v1/Deployment', 'policy/v1/PodDisruptionBudget', 'example.com/v1/Widget']) },
      want: ['fail', 'NEW does not serve policy/v1beta1/PodDisruptionBudget'],
    },
    'a CRD that is not installed': {
      seen: { served: new Set(kinds.slice(0, 2)) },
      want: ['fail', 'NEW does not serve example.com/v1/Widget'],
    },
    'nothing at all': {
      seen: { served: new Set() },
      want: [
        'fail',
        'NEW does not serve apps/v1/Deployment, policy/v1beta1/PodDisruptionBudget and example.com/v1/Widget',
      ],
    },
    'NEW does not answer': { seen: { served: late }, want: ['missing', 'what NEW serves: timeout, no answer'] },
    'OLD does not answer': {
      seen: { workload: late },
      want: ['missing', 'Deployment shop/checkout of OLD: timeout, no answer'],
    },
    'not in OLD': { seen: { workload: null }, want: ['fail', 'OLD has no Deployment shop/checkout'] },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, want }) => {
    expect(said(judgeApis({ workload: ready({ kinds }), served: new Set(kinds), ...seen }, plan))).toEqual(want)
  })
})

describe('disruption', () => {
  const budget = (changes: Partial<DisruptionBudget> = {}): DisruptionBudget => ({
    name: 'checkout',
    matchLabels: { app: 'checkout' },
    hasExpressions: false,
    disruptionsAllowed: 1,
    ...changes,
  })
  const other = budget({ name: 'other', matchLabels: { app: 'catalog' } })
  const all = budget({ name: 'all', matchLabels: {} })
  type Budgets = Parameters<typeof judgeDisruption>[0]['budgets']
  const cases: Record<string, { old: Budgets['old']; new: Budgets['new']; want: Want }> = {
    'neither has one': { old: [], new: [], want: ['pass', 'neither cluster has a pod disruption budget for it'] },
    'others have some': {
      old: [other],
      new: [other],
      want: ['pass', 'neither cluster has a pod disruption budget for it'],
    },
    'both have one': { old: [budget()], new: [other, budget()], want: ['pass', 'NEW has checkout'] },
    'one for all pods of the namespace will do': { old: [budget()], new: [all], want: ['pass', 'NEW has all'] },
    'NEW has none': {
      old: [budget()],
      new: [other],
      want: ['fail', 'OLD has checkout, NEW has no pod disruption budget for it'],
    },
    'NEW has one by another label': {
      old: [budget()],
      new: [budget({ matchLabels: { app: 'checkout', tier: 'web' } })],
      want: ['fail', 'OLD has checkout, NEW has no pod disruption budget for it'],
    },
    'NEW lets no node be drained': {
      old: [budget()],
      new: [budget({ disruptionsAllowed: 0 })],
      want: ['fail', 'checkout of NEW allows no disruption now'],
    },
    'neither lets a node be drained': {
      old: [budget({ disruptionsAllowed: 0 })],
      new: [budget({ disruptionsAllowed: 0 })],
      want: ['pass', 'NEW has checkout'],
    },
    'NEW does not answer': {
      old: [],
      new: late,
      want: ['missing', 'pod disruption budgets of NEW: timeout, no answer'],
    },
    'OLD does not answer': {
      old: late,
      new: [],
      want: ['missing', 'pod disruption budgets of OLD: timeout, no answer'],
    },
  }
  test.each(Object.entries(cases))('%s', (_, { want, ...budgets }) => {
    expect(said(judgeDisruption({ workloads: { old: READY, new: READY }, budgets }, plan))).toEqual(want)
  })
})

describe('stateful', () => {
  const set = { ...CHECKOUT, kind: 'StatefulSet' } as const
  const ofSet: Partial<Plan> = { objects: { old: set, new: set } }
  const moved = { stateful: 'volumes are copied, see RUN-17' }
  const cases: Record<
    string,
    { seen: Parameters<typeof judgeStateful>[0]; of?: Partial<Plan>; rules?: Partial<CheckRules>; want: Want }
  > = {
    'no volumes': { seen: READY, want: ['pass', 'Deployment shop/checkout has no volumes that keep data'] },
    'a claim': {
      seen: ready({ claims: ['uploads'] }),
      want: ['fail', 'Deployment shop/checkout keeps data in uploads, and nobody acknowledged it'],
    },
    'a claim that somebody acknowledged': {
      seen: ready({ claims: ['uploads'] }),
      rules: moved,
      want: ['pass', 'acknowledged: volumes are copied, see RUN-17'],
    },
    'a StatefulSet': {
      seen: ready({ claims: ['data'] }),
      of: ofSet,
      want: ['fail', 'StatefulSet shop/checkout keeps data in data, and nobody acknowledged it'],
    },
    'a StatefulSet without claims': {
      seen: READY,
      of: ofSet,
      want: ['fail', 'StatefulSet shop/checkout keeps data, and nobody acknowledged it'],
    },
    'a StatefulSet that somebody acknowledged': {
      seen: READY,
      of: ofSet,
      rules: moved,
      want: ['pass', 'acknowledged: volumes are copied, see RUN-17'],
    },
    'OLD does not answer': {
      seen: late,
      want: ['missing', 'Deployment shop/checkout of OLD: timeout, no answer'],
    },
    'not in OLD': { seen: null, want: ['fail', 'OLD has no Deployment shop/checkout'] },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, of, rules, want }) => {
    expect(said(judgeStateful(seen, checkedPlan(of, rules)))).toEqual(want)
  })
})

describe('permissions', () => {
  const get = { verb: 'get', group: 'apps', resource: 'deployments', namespace: 'shop' }
  const scale = { verb: 'patch', group: 'apps', resource: 'deployments/scale', namespace: 'shop' }
  const cases: Record<string, { seen: Parameters<typeof judgePermissions>[0]; want: Want }> = {
    'all allowed': {
      seen: [
        { side: 'old', action: get, answer: true },
        { side: 'new', action: scale, answer: true },
      ],
      want: ['pass', 'all 2 rights that the plan needs are there'],
    },
    'one refused': {
      seen: [
        { side: 'old', action: get, answer: late },
        { side: 'new', action: scale, answer: false },
      ],
      want: ['fail', 'not allowed: patch deployments/scale.apps in namespace shop of NEW'],
    },
    'one not answered': {
      seen: [{ side: 'old', action: { ...get, group: '', resource: 'configmaps' }, answer: late }],
      want: ['missing', 'get configmaps in namespace shop of OLD: timeout, no answer'],
    },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, want }) => {
    expect(said(judgePermissions(seen))).toEqual(want)
  })
})
