import { describe, expect, test } from 'vitest'
import type { CheckRules } from '../../src/core/check.ts'
import { missing, type SliReading } from '../../src/core/observation.ts'
import { groupKey } from '../../src/ports/source.ts'
import type { Finding } from '../../src/preflight/check.ts'
import { judgeCertificate, type SeenCertificates } from '../../src/preflight/checks/certificate.ts'
import { judgeClock, type SeenClocks } from '../../src/preflight/checks/clock.ts'
import { judgeDeprecated, readUse, type SeenApiUse } from '../../src/preflight/checks/deprecated.ts'
import { judgeErrorBudget } from '../../src/preflight/checks/error-budget.ts'
import { judgeIngress, type SeenProbes } from '../../src/preflight/checks/ingress.ts'
import { judgeReplication } from '../../src/preflight/checks/replication.ts'
import { judgeTelemetry } from '../../src/preflight/checks/telemetry.ts'
import { judgeTtls, type SeenTtl } from '../../src/preflight/checks/ttls.ts'
import { checkedPlan } from './plan.ts'

const late = missing('timeout', 'no answer')

type Want = readonly [Finding['outcome'], string]

function said({ outcome, sentence }: Finding): Want {
  return [outcome, sentence]
}

describe('clock', () => {
  const cases: Record<string, { seen: SeenClocks; rules?: Partial<CheckRules>; want: Want }> = {
    'all agree': {
      seen: { prometheus: 400, 'NEW’s': -900 },
      want: ['pass', 'within 0.9 s of ours: prometheus and NEW’s'],
    },
    'right at the limit': { seen: { prometheus: -5000 }, want: ['pass', 'within 5 s of ours: prometheus'] },
    'one is ahead': {
      seen: { prometheus: 0, 'the API server of NEW': 12_000 },
      want: ['fail', 'the API server of NEW is 12 s ahead; at most 5 s is allowed'],
    },
    'one is behind, of another nothing is known': {
      seen: { 'the API server of OLD': late, prometheus: -90_000 },
      want: ['fail', 'prometheus is 1 min 30 s behind; at most 5 s is allowed'],
    },
    'a policy that allows more': {
      seen: { prometheus: 12_000 },
      rules: { clockSeconds: 30 },
      want: ['pass', 'within 12 s of ours: prometheus'],
    },
    'one does not answer': {
      seen: { prometheus: late, other: 0 },
      want: ['missing', 'prometheus: timeout, no answer'],
    },
    'nothing has one': { seen: {}, want: ['skipped', 'nothing is configured that has a clock to compare with'] },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, rules, want }) => {
    expect(said(judgeClock(seen, checkedPlan({}, rules)))).toEqual(want)
  })
})

describe('deprecated', () => {
  const cases: Record<string, { seen: SeenApiUse; want: Want }> = {
    'nobody asks': { seen: [], want: ['pass', 'NEW was asked for no deprecated API since its API server started'] },
    'somebody asks': {
      seen: ['policy/v1beta1 podsecuritypolicies (gone in 1.25)', 'v1 componentstatuses'],
      want: ['fail', 'NEW was asked for policy/v1beta1 podsecuritypolicies (gone in 1.25) and v1 componentstatuses'],
    },
    'no answer': { seen: late, want: ['missing', 'use of deprecated APIs: timeout, no answer'] },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, want }) => {
    expect(said(judgeDeprecated(seen))).toEqual(want)
  })

  const key = (api: string, cluster = 'green') => [groupKey(cluster, api), 1] as const
  test.each<[string, ReturnType<typeof key>[], SeenApiUse]>([
    ['none, by an API server that is measured', [key('present')], []],
    ['of the core group', [key('present'), key('|v1|componentstatuses|')], ['v1 componentstatuses']],
    [
      'with the release that drops it',
      [key('flowcontrol.apiserver.k8s.io|v1beta3|flowschemas|1.32')],
      ['flowcontrol.apiserver.k8s.io/v1beta3 flowschemas (gone in 1.32)'],
    ],
    [
      'of another cluster alone',
      [key('|v1|componentstatuses|', 'blue')],
      missing('empty', 'no metrics of the API server of NEW'),
    ],
    ['none, and no metrics of the API server either', [], missing('empty', 'no metrics of the API server of NEW')],
  ])('series are read: %s', (_, values, want) => {
    expect(readUse(new Map(values), 'green')).toEqual(want)
  })
})

describe('replication', () => {
  const plan = checkedPlan({}, { replication: { query: 'lag', max: 5 } })
  test.each<[string, Parameters<typeof judgeReplication>[0], Want]>([
    ['close behind', 1.5, ['pass', 'the data of NEW is close behind: 1.5, at most 5']],
    ['right at the bound', 5, ['pass', 'the data of NEW is close behind: 5, at most 5']],
    ['too far behind', 5.1, ['fail', 'the data of NEW is too far behind: 5.1, at most 5']],
    ['no number', Number.NaN, ['missing', 'the lag of the replicas: not-a-number, the query gives NaN']],
    [
      'no end',
      Number.POSITIVE_INFINITY,
      ['missing', 'the lag of the replicas: not-a-number, the query gives Infinity'],
    ],
    ['no answer', late, ['missing', 'the lag of the replicas: timeout, no answer']],
  ])('%s', (_, lag, want) => {
    expect(said(judgeReplication(lag, plan))).toEqual(want)
  })
})

describe('telemetry', () => {
  const counted = (fresh: Extract<SliReading, { kind: 'counts' }>['tick']['new']): SliReading => ({
    kind: 'counts',
    sinceMs: 0,
    atMs: 10_000,
    tick: { old: { total: 5, bad: 0 }, new: fresh },
    windows: [],
    latencies: null,
    dispersion: null,
  })
  const none = missing('empty', 'no data')
  const cases: Record<string, { seen: Record<string, SliReading>; want: Want }> = {
    'series of NEW, even without requests': {
      seen: {
        availability: counted({ total: 0, bad: 0 }),
        cpu: { kind: 'value', atMs: 0, value: { old: late, new: 1 } },
      },
      want: ['pass', 'fresh series of NEW for availability and cpu'],
    },
    'none of NEW': {
      seen: { availability: counted(none), latency: counted({ total: 1, bad: 0 }) },
      want: ['fail', 'no fresh series of green and checkout for availability'],
    },
    'no value of NEW': {
      seen: { cpu: { kind: 'value', atMs: 0, value: { old: 1, new: none } } },
      want: ['fail', 'no fresh series of green and checkout for cpu'],
    },
    'none of one, and another not read': {
      seen: { availability: late, latency: counted(none) },
      want: ['fail', 'no fresh series of green and checkout for latency'],
    },
    'not read': { seen: { availability: late }, want: ['missing', 'availability: timeout, no answer'] },
    'a number that is none': {
      seen: { availability: counted(missing('not-a-number', 'NaN')) },
      want: ['missing', 'availability: not-a-number, NaN'],
    },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, want }) => {
    expect(said(judgeTelemetry(seen, checkedPlan()))).toEqual(want)
  })
})

describe('certificate', () => {
  const valid = (daysLeft: number) => ({ kind: 'valid', daysLeft, names: ['shop.test'] }) as const
  const cases: Record<string, { seen: SeenCertificates; rules?: Partial<CheckRules>; want: Want }> = {
    'for the name, and for long enough': {
      seen: { 'shop.test at 1.2.3.4': valid(60.9), 'api.test at 1.2.3.4': valid(20) },
      want: ['pass', 'shop.test at 1.2.3.4 and api.test at 1.2.3.4: trusted, for the name, for 20 more days'],
    },
    'ends soon': {
      seen: { 'shop.test at 1.2.3.4': valid(3.9), 'api.test at 1.2.3.4': valid(20) },
      want: ['fail', 'shop.test at 1.2.3.4: the certificate ends in 3 days, at least 14 are wanted'],
    },
    'ends soon enough for the policy': {
      seen: { 'shop.test at 1.2.3.4': valid(3.9) },
      rules: { certificateDays: 3 },
      want: ['pass', 'shop.test at 1.2.3.4: trusted, for the name, for 3 more days'],
    },
    'is not valid': {
      seen: { 'shop.test at 1.2.3.4': { kind: 'invalid', why: 'it signed itself' }, 'api.test at 1.2.3.4': late },
      want: ['fail', 'shop.test at 1.2.3.4: it signed itself'],
    },
    'was not seen': {
      seen: { 'shop.test at 1.2.3.4': valid(60), 'api.test at 1.2.3.4': late },
      want: ['missing', 'api.test at 1.2.3.4: timeout, no answer'],
    },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, rules, want }) => {
    expect(said(judgeCertificate(seen, checkedPlan({}, rules)))).toEqual(want)
  })
})

describe('ingress', () => {
  const cases: Record<string, { seen: SeenProbes; want: Want }> = {
    'all probes pass': {
      seen: { home: { kind: 'passed', seconds: 0.2 }, healthz: { kind: 'passed', seconds: 0.7 } },
      want: ['pass', 'home and healthz passed in at most 0.7 s'],
    },
    'one fails': {
      seen: {
        home: { kind: 'passed', seconds: 0.2 },
        healthz: { kind: 'failed', seconds: 0, why: 'status 503, not 200' },
      },
      want: ['fail', 'healthz: status 503, not 200'],
    },
    'one could not be asked': { seen: { home: late }, want: ['missing', 'home: timeout, no answer'] },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, want }) => {
    expect(said(judgeIngress(seen))).toEqual(want)
  })
})

describe('ttls', () => {
  const ttl = (ttlSeconds: SeenTtl['ttlSeconds'], loweredToSeconds: number | null = null): SeenTtl => ({
    id: 'checkout/route53/a',
    ttlSeconds,
    loweredToSeconds,
  })
  const cases: Record<string, { seen: readonly SeenTtl[]; rules?: Partial<CheckRules>; want: Want }> = {
    'no names': { seen: [ttl(null)], want: ['skipped', 'no target is a DNS name'] },
    short: { seen: [ttl(60), ttl(null)], want: ['pass', 'clients follow within 1 min'] },
    long: {
      seen: [ttl(3600)],
      want: ['fail', 'checkout/route53/a has a TTL of 1 h, and nobody lowers it'],
    },
    'long, but lowered by Headgate': { seen: [ttl(3600, 60)], want: ['pass', 'clients follow within 1 min'] },
    'lowered to what is long still': {
      seen: [ttl(3600, 600)],
      want: ['fail', 'checkout/route53/a has a TTL of 10 min, and nobody lowers it'],
    },
    'long, where the policy allows it': {
      seen: [ttl(3600)],
      rules: { ttlSeconds: 3600 },
      want: ['pass', 'clients follow within 1 h'],
    },
    'not read': { seen: [ttl(60), ttl(late)], want: ['missing', 'checkout/route53/a: timeout, no answer'] },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, rules, want }) => {
    expect(said(judgeTtls(seen, checkedPlan({}, rules)))).toEqual(want)
  })
})

describe('errorBudget', () => {
  const of = (total: number, bad: number, objectivePercent = 99.9) => ({
    sli: 'availability',
    objectivePercent,
    counts: { total, bad },
  })
  const nothing = { ...of(0, 0), counts: null }
  const cases: Record<
    string,
    { seen: Parameters<typeof judgeErrorBudget>[0]; rules?: Partial<CheckRules>; want: Want }
  > = {
    'nothing spent': {
      seen: [of(1_000_000, 0)],
      want: ['pass', '100 % of the error budget of availability is left: 0 of 1,000,000 requests were bad in 30 days'],
    },
    'exactly enough is left': {
      seen: [of(1_000_000, 900)],
      want: ['pass', '10 % of the error budget of availability is left: 900 of 1,000,000 requests were bad in 30 days'],
    },
    'too little is left': {
      seen: [of(1_000_000, 950)],
      want: [
        'fail',
        '5 % of the error budget of availability is left: 950 of 1,000,000 requests were bad in 30 days; at least 10 % is wanted',
      ],
    },
    'more than all is spent': {
      seen: [of(1000, 50, 99)],
      want: [
        'fail',
        'nothing of the error budget of availability is left: 50 of 1,000 requests were bad in 30 days; at least 10 % is wanted',
      ],
    },
    'a policy that takes the risk': {
      seen: [of(1_000_000, 950)],
      rules: { errorBudgetPercent: 0 },
      want: ['pass', '5 % of the error budget of availability is left: 950 of 1,000,000 requests were bad in 30 days'],
    },
    'too little of one, and of the other nothing is known': {
      seen: [{ ...of(0, 0), counts: late }, of(1_000_000, 990)],
      want: [
        'fail',
        '1 % of the error budget of availability is left: 990 of 1,000,000 requests were bad in 30 days; at least 10 % is wanted',
      ],
    },
    'the source does not answer': {
      seen: [of(1_000_000, 0), { ...of(0, 0), counts: late }],
      want: ['missing', 'availability: timeout, no answer'],
    },
    'the source has no memory': { seen: [nothing], want: ['skipped', 'the source remembers no requests of it'] },
    'one source remembers': {
      seen: [nothing, of(1000, 0)],
      want: ['pass', '100 % of the error budget of availability is left: 0 of 1,000 requests were bad in 30 days'],
    },
  }
  test.each(Object.entries(cases))('%s', (_, { seen, rules, want }) => {
    expect(said(judgeErrorBudget(seen, checkedPlan({}, rules)))).toEqual(want)
  })
})
