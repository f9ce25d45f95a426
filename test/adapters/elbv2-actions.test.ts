import { describe, expect, test } from 'vitest'
import {
  ALB_LISTENER_ARN,
  type FakeElb,
  forwardTo,
  forwardToOne,
  groupArn,
  NLB_LISTENER_ARN,
  ruleArn,
  weightsAt,
} from '../fakes/elbv2.ts'
import type { WireList } from '../fakes/elbv2-wire.ts'
import { type ElbUser, startElbUser } from '../support/elbv2.ts'

const RULE = ruleArn('9683b2d02a6cabee')
const APPLIED = { kind: 'applied' }
const OIDC = {
  Type: 'authenticate-oidc',
  Order: '1',
  AuthenticateOidcConfig: {
    Issuer: 'https://id.example.com',
    AuthorizationEndpoint: 'https://id.example.com/authorize',
    TokenEndpoint: 'https://id.example.com/token',
    UserInfoEndpoint: 'https://id.example.com/me',
    ClientId: 'shop',
    SessionTimeout: '3600',
    OnUnauthenticatedRequest: 'authenticate',
  },
}
const COGNITO = {
  Type: 'authenticate-cognito',
  Order: '2',
  AuthenticateCognitoConfig: {
    UserPoolArn: 'arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_abc',
    UserPoolClientId: 'shop',
    UserPoolDomain: 'shop',
  },
}
const STICKY = { TargetGroupStickinessConfig: { Enabled: 'true', DurationSeconds: '600' } }

describe('a write to ELB', () => {
  test('is one ModifyRule, which names the actions and nothing else', async () => {
    const { elb, write } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 })])
    expect(await write(12.5)).toEqual(APPLIED)
    expect(elb.changes()).toEqual([
      { action: 'ModifyRule', params: { RuleArn: RULE, Actions: [forwardTo({ blue: 91, green: 13 })] } },
    ])
  })

  test.each([
    ['of an ALB', ALB_LISTENER_ARN],
    ['of an NLB', NLB_LISTENER_ARN],
  ])('to a listener %s is one ModifyListener of its default actions', async (_, arn) => {
    const { elb, write, read } = await startElbUser({ listener: arn })
    elb.actions.set(arn, [forwardTo({ blue: 1, green: 0 })])
    expect(await write(10)).toEqual(APPLIED)
    expect(elb.changes()).toEqual([
      { action: 'ModifyListener', params: { ListenerArn: arn, DefaultActions: [forwardTo({ blue: 90, green: 10 })] } },
    ])
    expect(await read()).toMatchObject({ weightPercent: 10 })
  })

  test('keeps stickiness, the actions before the forward, their order, and the secret that AWS never tells', async () => {
    const { elb, write } = await startElbUser({ rule: RULE })
    const actions = (green: number): WireList => [
      OIDC,
      COGNITO,
      { ...forwardTo({ blue: 100 - green, green }, STICKY), Order: '3' },
    ]
    elb.actions.set(RULE, actions(0))
    expect(await write(25)).toEqual(APPLIED)
    // The fake refuses an OIDC action without its secret, or without leave to keep it.
    expect(elb.actions.get(RULE)).toEqual(actions(25))
    expect(elb.changes()[0]?.params.Actions).toMatchObject([
      { AuthenticateOidcConfig: { UseExistingClientSecret: 'true' } },
      COGNITO,
      {},
    ])
  })

  test.each<[string, WireList, number]>([
    ['the weight that is there', [forwardTo({ blue: 90, green: 10 })], 10],
    ['the same share in other numbers', [forwardTo({ blue: 9, green: 1 })], 10],
    ['0 % where all goes to OLD without weights', [forwardToOne('blue')], 0],
    ['100 % where all goes to NEW without weights', [forwardToOne('green')], 100],
  ])('of %s changes nothing', async (_, actions, percent) => {
    const { elb, write } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, actions)
    expect(await write(percent, 'revert')).toEqual(APPLIED)
    expect(elb.changes()).toEqual([])
  })

  test.each([
    ['names', 'blue', 'green', ['DescribeRules', 'DescribeTargetGroups', 'ModifyRule']],
    ['ARNs', groupArn('blue'), groupArn('green'), ['DescribeRules', 'ModifyRule']],
  ])('gives a forward to one group the other one, by %s', async (_, old, fresh, calls) => {
    const { elb, write, read } = await startElbUser({ rule: RULE }, { old, new: fresh })
    elb.actions.set(RULE, [forwardToOne('blue')])
    expect(await write(1)).toEqual(APPLIED)
    expect(elb.calls.map(({ action }) => action)).toEqual(calls)
    expect(elb.actions.get(RULE)).toEqual([forwardTo({ blue: 99, green: 1 })])
    expect(await read()).toMatchObject({ weightPercent: 1 })
  })

  test('gives a forward to NEW alone the old group back', async () => {
    const { elb, write } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, [forwardToOne('green')])
    expect(await write(0, 'revert')).toEqual(APPLIED)
    expect(weightsAt(elb, RULE)).toEqual({ green: 0, blue: 100 })
  })

  test('does not add a group that is not there', async () => {
    const { elb, write } = await startElbUser({ rule: RULE }, { new: 'gren' })
    elb.actions.set(RULE, [forwardToOne('blue')])
    expect(await write(1)).toMatchObject({ kind: 'failed', problem: { code: 'TRAFFIC_NOT_FOUND' } })
    expect(elb.changes()).toEqual([])
  })

  describe('that is a revert', () => {
    const calls = (elb: FakeElb) => elb.calls.map(({ action }) => action)

    test('is one call: it changes the list that was last read', async () => {
      const { elb, read, write } = await startElbUser({ rule: RULE })
      const actions: WireList = [OIDC, { ...forwardTo({ blue: 75, green: 25 }, STICKY), Order: '3' }]
      elb.actions.set(RULE, actions)
      await read()
      elb.calls.length = 0
      expect(await write(0, 'revert')).toEqual(APPLIED)
      expect(calls(elb)).toEqual(['ModifyRule'])
      expect(elb.actions.get(RULE)).toEqual([OIDC, { ...forwardTo({ blue: 100, green: 0 }, STICKY), Order: '3' }])
    })

    test('is one call after a step forward, too', async () => {
      const { elb, write } = await startElbUser({ rule: RULE })
      elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 })])
      await write(25)
      elb.calls.length = 0
      expect(await write(0, 'revert')).toEqual(APPLIED)
      expect(calls(elb)).toEqual(['ModifyRule'])
    })

    test.each<[string, (user: ElbUser) => Promise<unknown>]>([
      ['nothing was read yet', async () => null],
      ['the last read is older than 5 minutes', ({ read, clock }) => read().then(() => clock.advance(300_001))],
      ['the weight seems to be there, which somebody may have changed', ({ write }) => write(0)],
      [
        'a write has failed since, and may have happened all the same',
        async ({ elb, read, write }) => {
          await read()
          elb.afterwards = (_, response) => void response.socket?.resetAndDestroy() === undefined
          await write(0, 'revert')
          elb.afterwards = null
        },
      ],
    ])('reads first where %s', async (_, arrange) => {
      const user = await startElbUser({ rule: RULE })
      user.elb.actions.set(RULE, [forwardTo({ blue: 75, green: 25 })])
      await arrange(user)
      user.elb.actions.set(RULE, [forwardTo({ blue: 60, green: 40 })])
      user.elb.calls.length = 0
      expect(await user.write(0, 'revert')).toEqual(APPLIED)
      expect(calls(user.elb)).toEqual(['DescribeRules', 'ModifyRule'])
      expect(weightsAt(user.elb, RULE)).toEqual({ blue: 100, green: 0 })
    })

    test('does not bring back a list that was since seen to be another', async () => {
      const { elb, read, write } = await startElbUser({ rule: RULE })
      elb.actions.set(RULE, [forwardTo({ blue: 75, green: 25 })])
      await read()
      elb.actions.set(RULE, [{ Type: 'fixed-response' }])
      await read()
      expect(await write(0, 'revert')).toMatchObject({ problem: { code: 'TRAFFIC_WRONG_TYPE' } })
      expect(elb.changes()).toEqual([])
    })
  })

  test('keeps an action that somebody added since the last read', async () => {
    const { elb, write, read } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 })])
    await read()
    elb.actions.set(RULE, [OIDC, { ...forwardTo({ blue: 1, green: 0 }), Order: '3' }])
    expect(await write(50)).toEqual(APPLIED)
    expect(elb.actions.get(RULE)).toMatchObject([OIDC, { Type: 'forward' }])
  })
})

describe('a read from ELB', () => {
  test.each<[string, WireList, number]>([
    ['OLD alone', [forwardToOne('blue')], 0],
    ['NEW alone', [forwardToOne('green')], 100],
    ['OLD alone, by its ARN only', [{ Type: 'forward', TargetGroupArn: groupArn('blue') }], 0],
    ['odd numbers', [forwardTo({ green: 1, blue: 2 })], 33.3],
    ['next to nothing', [forwardTo({ blue: 999, green: 1 })], 0.1],
  ])('of %s', async (_, actions, weightPercent) => {
    const { elb, read } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, actions)
    expect(await read()).toEqual({ kind: 'weight', weightPercent })
  })

  const redirect: WireList = [{ Type: 'redirect', RedirectConfig: { StatusCode: 'HTTP_301' } }]
  test.each<[string, WireList, string, string]>([
    ['a redirect', redirect, 'refused', `${RULE} forwards nothing: it has redirect`],
    [
      'a third group',
      [forwardTo({ blue: 50, green: 10, red: 40 })],
      'refused',
      `${RULE} forwards to ${groupArn('red')}, which is neither blue nor green`,
    ],
    ['another group alone', [forwardToOne('red')], 'refused', `which is neither blue nor green`],
    ['no actions at all', [], 'refused', 'it has no actions'],
    ['a weight in words', [{ ...forwardTo({ blue: 1, green: Number.NaN }) }], 'bad-answer', 'of weight NaN'],
  ])('is missing for %s, and a write changes nothing', async (_, actions, why, detail) => {
    const { elb, read, write } = await startElbUser({ rule: RULE })
    elb.groups.set('red', { states: ['healthy'], loadBalancerArns: [] })
    elb.actions.set(RULE, actions)
    expect(await read()).toEqual({ kind: 'missing', why, detail: expect.stringContaining(detail) })
    expect(await write(10)).toMatchObject({ kind: 'failed' })
    expect(elb.changes()).toEqual([])
  })

  test.each<[string, WireList]>([
    ['two weights of 0', [forwardTo({ blue: 0, green: 0 })]],
    ['one group of weight 0', [forwardTo({ blue: 0 })]],
  ])('is no number for %s, and a write mends it', async (_, actions) => {
    const { elb, read, write } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, actions)
    expect(await read()).toMatchObject({ kind: 'missing', why: 'not-a-number' })
    expect(await write(0, 'revert')).toEqual(APPLIED)
    expect(weightsAt(elb, RULE)).toEqual({ blue: 100, green: 0 })
  })

  test('is missing for a default rule, and tells the listener to name instead', async () => {
    const { elb, read, write } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 })])
    elb.defaultRules.add(RULE)
    expect(await read()).toMatchObject({ kind: 'missing', why: 'refused' })
    expect(await write(10)).toMatchObject({
      problem: { code: 'TRAFFIC_WRONG_TYPE', hint: `write \`listener: ${ALB_LISTENER_ARN}\` instead of \`rule\`` },
    })
    expect(elb.changes()).toEqual([])
  })
})
