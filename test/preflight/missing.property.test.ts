import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Missing, missing } from '../../src/core/observation.ts'
import type { Finding } from '../../src/preflight/check.ts'
import { judgeApis } from '../../src/preflight/checks/apis.ts'
import { judgeCertificate } from '../../src/preflight/checks/certificate.ts'
import { judgeClock } from '../../src/preflight/checks/clock.ts'
import { judgeDeprecated } from '../../src/preflight/checks/deprecated.ts'
import { judgeDisruption } from '../../src/preflight/checks/disruption.ts'
import { judgeErrorBudget } from '../../src/preflight/checks/error-budget.ts'
import { judgeIngress } from '../../src/preflight/checks/ingress.ts'
import { judgeObjects } from '../../src/preflight/checks/objects.ts'
import { judgeParity } from '../../src/preflight/checks/parity.ts'
import { judgePermissions } from '../../src/preflight/checks/permissions.ts'
import { judgeReplication } from '../../src/preflight/checks/replication.ts'
import { judgeStateful } from '../../src/preflight/checks/stateful.ts'
import { judgeTelemetry } from '../../src/preflight/checks/telemetry.ts'
import { judgeTtls } from '../../src/preflight/checks/ttls.ts'
import { READY } from '../fakes/cluster.ts'
import { checkedPlan } from './plan.ts'

const plan = checkedPlan({}, { replication: { query: 'lag', max: 5 } })
const action = { verb: 'get', group: '', resource: 'configmaps', namespace: 'shop' }
const wellServed = { kind: 'valid', daysLeft: 60, names: ['shop.test'] } as const

/** Gives an answer, or the gap that is in its place. */
type Gaps = <T>(place: number, answer: T) => T | Missing

/** Each check where all is well, but for what is missing; with how many answers it needs. */
const WELL: Record<string, { needs: number; judge: (gaps: Gaps) => Finding }> = {
  objects: { needs: 2, judge: (gaps) => judgeObjects({ old: gaps(0, READY), new: gaps(1, READY) }, plan) },
  parity: { needs: 2, judge: (gaps) => judgeParity({ old: gaps(0, READY), new: gaps(1, READY) }, plan) },
  apis: {
    needs: 2,
    judge: (gaps) => judgeApis({ workload: gaps(0, READY), served: gaps(1, new Set(READY.kinds)) }, plan),
  },
  deprecated: { needs: 1, judge: (gaps) => judgeDeprecated(gaps(0, [])) },
  disruption: {
    needs: 4,
    judge: (gaps) => {
      const workloads = { old: gaps(0, READY), new: gaps(1, READY) }
      return judgeDisruption({ workloads, budgets: { old: gaps(2, []), new: gaps(3, []) } }, plan)
    },
  },
  certificate: {
    needs: 2,
    judge: (gaps) => judgeCertificate({ a: gaps(0, wellServed), b: gaps(1, wellServed) }, plan),
  },
  ingress: {
    needs: 2,
    judge: (gaps) => {
      const passed = { kind: 'passed', seconds: 0.1 } as const
      return judgeIngress({ a: gaps(0, passed), b: gaps(1, passed) })
    },
  },
  telemetry: {
    needs: 3,
    judge: (gaps) =>
      judgeTelemetry(
        {
          a: gaps(0, { kind: 'value', atMs: 0, value: { old: 1, new: gaps(1, 1) } } as const),
          b: { kind: 'value', atMs: 0, value: { old: 1, new: gaps(2, 1) } },
        },
        plan,
      ),
  },
  stateful: { needs: 1, judge: (gaps) => judgeStateful(gaps(0, READY), plan) },
  replication: { needs: 1, judge: (gaps) => judgeReplication(gaps(0, 1), plan) },
  ttls: {
    needs: 2,
    judge: (gaps) =>
      judgeTtls(
        [
          { id: 'a', loweredToSeconds: null, ttlSeconds: gaps(0, 60) },
          { id: 'b', loweredToSeconds: 60, ttlSeconds: gaps(1, 60) },
        ],
        plan,
      ),
  },
  permissions: {
    needs: 2,
    judge: (gaps) =>
      judgePermissions([
        { side: 'old', action, answer: gaps(0, true) },
        { side: 'new', action, answer: gaps(1, true) },
      ]),
  },
  errorBudget: {
    needs: 2,
    judge: (gaps) =>
      judgeErrorBudget(
        [0, 1].map((place) => ({
          sli: `sli-${place}`,
          objectivePercent: 99.9,
          counts: gaps(place, { total: 1000, bad: 0 }),
        })),
        plan,
      ),
  },
  clock: { needs: 2, judge: (gaps) => judgeClock({ a: gaps(0, 100), b: gaps(1, -100) }, plan) },
}

test.each(Object.entries(WELL))(
  '%s: it passes with every answer, and with a gap it never does',
  (_, { needs, judge }) => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: needs, maxLength: needs }),
        fc.constantFrom<Missing['why']>('timeout', 'unreachable', 'refused', 'bad-answer', 'not-a-number', 'stale'),
        (isGone, why) => {
          const { outcome } = judge((place, answer) => (isGone[place] ? missing(why, 'gone') : answer))
          expect(outcome).toBe(isGone.includes(true) ? 'missing' : 'pass')
        },
      ),
    )
  },
)
