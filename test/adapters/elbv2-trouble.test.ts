import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { type FakeElb, forwardTo, refuse, replyXml, ruleArn, shownRule, weightsAt } from '../fakes/elbv2.ts'
import { ElbRefusal } from '../fakes/elbv2-rules.ts'
import { toXml } from '../fakes/elbv2-wire.ts'
import { type ElbUser, startElbUser } from '../support/elbv2.ts'
import { until } from '../support/until.ts'

const RULE = ruleArn('9683b2d02a6cabee')

async function startAt(green: number, options: Parameters<typeof startElbUser>[1] = {}): Promise<ElbUser> {
  const user = await startElbUser({ rule: RULE }, options)
  user.elb.actions.set(RULE, [forwardTo({ blue: 100 - green, green })])
  return user
}

const throttled = new ElbRefusal('Throttling', 'Rate exceeded')
type Fault = (response: ServerResponse) => void
const FAULTS: readonly (readonly [string, Fault, string, string])[] = [
  ['a throttled call', (to) => refuse(to, throttled), 'TRAFFIC_THROTTLED', 'refused'],
  [
    'a call that IAM denies',
    (to) => refuse(to, new ElbRefusal('AccessDenied', 'not authorized', 403)),
    'TRAFFIC_FORBIDDEN',
    'refused',
  ],
  [
    'a wrong secret',
    (to) => refuse(to, new ElbRefusal('SignatureDoesNotMatch', 'no match', 403)),
    'TRAFFIC_NO_CREDENTIALS',
    'refused',
  ],
  ['an answer of 503', (to) => replyXml(to, 503, '<html>'), 'TRAFFIC_UNREACHABLE', 'unreachable'],
  ['a page that is no XML', (to) => replyXml(to, 200, '<p>proxy & co'), 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
  ['another XML', (to) => replyXml(to, 200, '<a><b>1</b></a>'), 'TRAFFIC_BAD_ANSWER', 'bad-answer'],
  ['a reset connection', (to) => void to.socket?.resetAndDestroy(), 'TRAFFIC_UNREACHABLE', 'unreachable'],
]

describe('trouble at ELB', () => {
  describe.each(FAULTS)('%s', (_, fault, code, why) => {
    /** Answers the calls of one action so. */
    async function startFaulty(action: string): Promise<ElbUser> {
      const user = await startAt(10)
      user.elb.instead = (call, response) => {
        if (call.action === action) fault(response)
        return call.action === action
      }
      return user
    }

    test('fails a read', async () => {
      const { read } = await startFaulty('DescribeRules')
      expect(await read()).toEqual({ kind: 'missing', why, detail: expect.stringMatching(/./) })
    })

    test.each(['DescribeRules', 'ModifyRule'])('fails a write at its %s, and nothing is written', async (action) => {
      const { elb, write } = await startFaulty(action)
      expect(await write(25)).toMatchObject({ kind: 'failed', problem: { code } })
      expect(weightsAt(elb, RULE)).toEqual({ blue: 90, green: 10 })
    })
  })

  test('an acknowledgement of other weights is none', async () => {
    const { elb, write } = await startAt(10)
    elb.instead = ({ action }, response) => {
      if (action !== 'ModifyRule') return false
      replyXml(response, 200, toXml({ ModifyRuleResponse: { ModifyRuleResult: { Rules: [shownRule(elb, RULE)] } } }))
      return true
    }
    expect(await write(25)).toMatchObject({
      problem: { code: 'TRAFFIC_UNVERIFIED', cause: `${RULE} was asked for 25 % and has 10 %` },
    })
  })

  test('a refused signature names no part of the credentials', async () => {
    const { read } = await startAt(10, { accessKeyId: 'AKIAWRONG' })
    expect(await read()).toEqual({
      kind: 'missing',
      why: 'refused',
      detail: 'no credentials that ELB takes: InvalidClientTokenId',
    })
  })

  test('a write whose answer is lost has failed, is seen by the next read, and is not made twice', async () => {
    const { elb, read, write } = await startAt(10)
    elb.afterwards = ({ action }, response) => {
      if (action === 'ModifyRule') response.socket?.resetAndDestroy()
      return action === 'ModifyRule'
    }
    expect(await write(25)).toMatchObject({ kind: 'failed', problem: { code: 'TRAFFIC_UNREACHABLE' } })
    elb.afterwards = null
    expect(await read()).toMatchObject({ weightPercent: 25 })
    expect(await write(25)).toEqual({ kind: 'applied' })
    expect(elb.changes()).toHaveLength(1)
  })

  test('a throttled call empties the quota: a revert goes out when it has one call again', async () => {
    const { elb, clock, write } = await startAt(10, { quota: { callsPerSecond: 0.1, burst: 40 } })
    elb.instead = (_, response) => {
      refuse(response, throttled)
      return true
    }
    expect(await write(0, 'revert')).toMatchObject({ problem: { code: 'TRAFFIC_THROTTLED' } })
    elb.instead = null
    const again = write(0, 'revert')
    await clock.advance(9_900)
    expect(elb.calls).toHaveLength(1)
    await clock.advance(100)
    expect(await again).toEqual({ kind: 'applied' })
    expect(weightsAt(elb, RULE)).toEqual({ blue: 100, green: 0 })
  })

  test('a write counts its read, and leaves its change to whoever took a call for it', async () => {
    const { elb, clock, write } = await startAt(10, { quota: { callsPerSecond: 0.1, burst: 4 } })
    // Half of the four calls is kept for reverts.
    expect(await write(11)).toEqual({ kind: 'applied' })
    expect(await write(12)).toEqual({ kind: 'applied' })
    const third = write(13)
    await until('the third write waits', () => clock.sleepers() > 0)
    expect(elb.changes()).toHaveLength(2)
    await clock.advance(20_000)
    expect(await third).toEqual({ kind: 'applied' })
  })

  test('a deadline ends the wait for the quota, and the call is not made', async () => {
    const { elb, scope } = await startAt(10, { quota: { callsPerSecond: 0.1, burst: 2 } })
    scope.quota?.exhaust()
    const deadline = new AbortController()
    const reading = scope.read(['t'], deadline.signal)
    deadline.abort()
    expect((await reading).get('t')).toMatchObject({ kind: 'missing', why: 'timeout' })
    expect(elb.calls).toEqual([])
  })
})

describe('the health of target groups', () => {
  test.each<[string, number, Parameters<FakeElb['groups']['set']>[0], readonly string[], boolean]>([
    ['NEW is empty', 10, 'green', [], false],
    ['NEW is leaving', 10, 'green', ['draining', 'unused'], false],
    ['OLD is empty', 10, 'blue', [], false],
    ['NEW is empty, and has no weight', 0, 'green', [], true],
    ['OLD is empty, and has no weight', 100, 'blue', [], true],
    ['NEW fails its checks, so that ELB sends to all of it', 10, 'green', ['unhealthy'], true],
    ['NEW has one target left', 10, 'green', ['draining', 'initial'], true],
    ['nobody checks NEW', 10, 'green', ['unavailable'], true],
  ])('where %s (at %d %%)', async (_, weight, name, states, isInForce) => {
    const { elb, read } = await startAt(weight)
    elb.groups.set(name, { states, loadBalancerArns: [] })
    expect(await read()).toMatchObject(
      isInForce
        ? { kind: 'weight', weightPercent: weight }
        : { kind: 'missing', why: 'refused', detail: expect.stringContaining(`targetgroup/${name}/`) },
    )
  })

  test.each([
    ['30 s while traffic is split', 50, 30_000, 2],
    ['5 minutes while one side has all of it', 100, 300_000, 1],
  ])('is asked every %s', async (_, weight, keptMs, groups) => {
    const { elb, clock, read } = await startAt(weight)
    const asked = () => elb.calls.filter(({ action }) => action === 'DescribeTargetHealth').length
    await read()
    await clock.advance(keptMs - 1)
    await read()
    expect(asked()).toBe(groups)
    await clock.advance(1)
    await read()
    expect(asked()).toBe(2 * groups)
  })

  test('is asked each time while a group is empty, so that its return is seen at once', async () => {
    const { elb, read } = await startAt(100)
    elb.groups.set('green', { states: [], loadBalancerArns: [] })
    expect(await read()).toMatchObject({ kind: 'missing' })
    elb.groups.set('green', { states: ['healthy'], loadBalancerArns: [] })
    expect(await read()).toMatchObject({ weightPercent: 100 })
  })

  test('is asked anew after a write: a revert to an OLD that has just been emptied is not confirmed', async () => {
    const { elb, read, write } = await startAt(50)
    await read()
    elb.groups.set('blue', { states: [], loadBalancerArns: [] })
    await write(0, 'revert')
    expect(await read()).toMatchObject({ kind: 'missing', why: 'refused' })
  })

  test('that cannot be read hides no weight, and is told in the log', async () => {
    const { elb, read, warnings } = await startAt(100)
    elb.instead = ({ action }, response) => {
      if (action === 'DescribeTargetHealth') refuse(response, new ElbRefusal('AccessDenied', 'not authorized', 403))
      return action === 'DescribeTargetHealth'
    }
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 100 })
    expect(warnings).toEqual(['the targets of a group could not be read'])
  })
})
