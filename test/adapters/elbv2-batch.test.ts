import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { TrafficScope } from '../../src/ports/traffic.ts'
import { elbv2 } from '../../src/traffic/elbv2/kind.ts'
import { elbv2Account } from '../../src/traffic/elbv2/settings.ts'
import { type FakeElb, forwardTo, ruleArn, startFakeElb, weightsAt } from '../fakes/elbv2.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { until } from '../support/until.ts'

let elb: FakeElb

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAFAKE')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary')
  elb = await startFakeElb('AKIAFAKE')
  return async () => {
    await elb.stop()
    vi.unstubAllEnvs()
  }
})

/** So many scopes of one account, each with a rule of its own at `index` %; they close with the test. */
function openScopes(count: number): readonly TrafficScope[] {
  const account = elbv2Account.parse({ endpoint: elb.url, quota: { callsPerSecond: 1000, burst: 10_000 } })
  const context = adapterContext()
  const scopes = Array.from({ length: count }, (_, index) => {
    const rule = ruleArn(`rule${index}`)
    elb.actions.set(rule, [forwardTo({ blue: 100 - index, green: index })])
    const settings = elbv2.settings.parse({ rule, old: 'blue', new: 'green' })
    return elbv2.open([{ id: 't', settings }], account, context)
  })
  onTestFinished(async () => {
    for (const scope of scopes) await scope.close()
  })
  return scopes
}

const anyLongWhile = () => AbortSignal.timeout(120_000)
const readAll = (scopes: readonly TrafficScope[]) =>
  Promise.all(scopes.map(async (scope) => (await scope.read(['t'], anyLongWhile())).get('t')))
const calls = (action: string) => elb.calls.filter((call) => call.action === action).length

describe('scopes of one account', () => {
  test('that are read at the same time share calls of twenty rules', async () => {
    const scopes = openScopes(45)
    expect(await readAll(scopes)).toEqual(scopes.map((_, index) => ({ kind: 'weight', weightPercent: index })))
    expect(calls('DescribeRules')).toBe(3)
    await readAll(scopes)
    expect(calls('DescribeRules')).toBe(6)
  })

  test('ask for the tags of the load balancer that they share once', async () => {
    await readAll(openScopes(10))
    expect(calls('DescribeTags')).toBe(1)
  })

  test('read the same when one of their rules is gone', async () => {
    const scopes = openScopes(20)
    elb.actions.delete(ruleArn('rule7'))
    const readings = await readAll(scopes)
    expect(readings[7]).toMatchObject({ kind: 'missing', why: 'empty' })
    expect(readings.filter((reading) => reading?.kind === 'weight')).toHaveLength(19)
    // Halved down to the one: two calls at each of five sizes, and the first.
    expect(calls('DescribeRules')).toBeLessThanOrEqual(11)
  })

  test('wait each for their own deadline', async () => {
    const [hasty, patient] = openScopes(2)
    const deadline = new AbortController()
    let answer = () => {}
    elb.instead = ({ action }, response) => {
      if (action !== 'DescribeRules') return false
      answer = () => response.destroy()
      return true
    }
    const late = hasty?.read(['t'], deadline.signal)
    const lost = patient?.read(['t'], anyLongWhile())
    await until('the call is under way', () => calls('DescribeRules') > 0)
    deadline.abort()
    expect((await late)?.get('t')).toMatchObject({ kind: 'missing', why: 'timeout' })
    answer()
    expect((await lost)?.get('t')).toMatchObject({ kind: 'missing', why: 'unreachable' })
    elb.instead = null
    expect((await hasty?.read(['t'], anyLongWhile()))?.get('t')).toMatchObject({ weightPercent: 0 })
  })

  test('revert with one call each, once they were read', async () => {
    const scopes = openScopes(100)
    await readAll(scopes)
    elb.calls.length = 0
    const change = { targetId: 't', weightPercent: 0, ttlSeconds: null, urgency: 'revert' } as const
    await Promise.all(scopes.slice(1).map((scope) => scope.write([change], anyLongWhile())))
    expect(elb.calls.map(({ action }) => action)).toEqual(Array.from({ length: 99 }, () => 'ModifyRule'))
    for (const arn of elb.actions.keys()) expect(weightsAt(elb, arn)).toEqual({ blue: 100, green: 0 })
  })
})
