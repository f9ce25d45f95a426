import { describe, expect, test } from 'vitest'
import { elbv2 } from '../../src/traffic/elbv2/kind.ts'
import { elbv2Account } from '../../src/traffic/elbv2/settings.ts'
import {
  ALB_ARN,
  ALB_LISTENER_ARN,
  type FakeElb,
  forwardTo,
  forwardToOne,
  groupArn,
  NLB_LISTENER_ARN,
  refuse,
  ruleArn,
} from '../fakes/elbv2.ts'
import { ElbRefusal } from '../fakes/elbv2-rules.ts'
import { startElbUser } from '../support/elbv2.ts'

const RULE = ruleArn('9683b2d02a6cabee')
const CONTROLLER_TAGS = { 'elbv2.k8s.aws/cluster': 'prod-a', 'ingress.k8s.aws/stack': 'shop/checkout' }
const OWNED =
  'the AWS Load Balancer Controller of cluster prod-a writes here for the stack shop/checkout, from the annotation ' +
  'alb.ingress.kubernetes.io/actions.<name> of its Ingress objects: point the target at a load balancer that the ' +
  'controller does not own, and keep the pods registered by TargetGroupBindings'

/** Has the fake refuse one action. */
function forbid(elb: FakeElb, forbidden: string): void {
  elb.instead = ({ action }, response) => {
    if (action === forbidden) refuse(response, new ElbRefusal('AccessDenied', `no ${action}`, 403))
    return action === forbidden
  }
}

describe('an inspection of ELB', () => {
  test.each<[string, (elb: FakeElb) => void, readonly string[]]>([
    ['nothing where all is well', () => {}, []],
    [
      'a rule that is not there',
      (elb) => elb.actions.clear(),
      ['fail TRAFFIC_NOT_FOUND: ELB says RuleNotFoundException: One or more rules not found'],
    ],
    [
      'a group that is not there',
      (elb) => {
        elb.actions.set(RULE, [forwardToOne('blue')])
        elb.groups.delete('green')
      },
      ['fail TRAFFIC_NOT_FOUND: ELB says TargetGroupNotFoundException: One or more target groups not found'],
    ],
    [
      'a rule that forwards nothing',
      (elb) => elb.actions.set(RULE, [{ Type: 'fixed-response' }]),
      [`fail TRAFFIC_WRONG_TYPE: ${RULE} forwards nothing: it has fixed-response`],
    ],
    [
      'weights that are no share',
      (elb) => elb.actions.set(RULE, [forwardTo({ blue: 0, green: 0 })]),
      [`fail TRAFFIC_REFUSED: both target groups of ${RULE} have weight 0: there is no share`],
    ],
    [
      'a NEW group that nobody can reach',
      (elb) => elb.groups.set('green', { states: ['unhealthy', 'draining'], loadBalancerArns: [ALB_ARN] }),
      [`fail TRAFFIC_UNHEALTHY: ${groupArn('green')} has no healthy target among 2`],
    ],
    [
      'a NEW group without targets',
      (elb) => elb.groups.set('green', { states: [], loadBalancerArns: [ALB_ARN] }),
      [`fail TRAFFIC_UNHEALTHY: ${groupArn('green')} has no targets`],
    ],
    [
      'an OLD group that nobody can reach',
      (elb) => elb.groups.set('blue', { states: ['unhealthy'], loadBalancerArns: [ALB_ARN] }),
      [`warn TRAFFIC_UNHEALTHY: ${groupArn('blue')} has no healthy target among 1`],
    ],
    [
      'a NEW group whose targets nobody checks yet',
      (elb) => {
        elb.actions.set(RULE, [forwardToOne('blue')])
        elb.groups.set('green', { states: ['unused'], reason: 'Target.NotInUse', loadBalancerArns: [] })
      },
      [
        `warn TRAFFIC_UNHEALTHY: no listener uses ${groupArn('green')}, so that nobody checks the health of its 1 targets`,
      ],
    ],
    [
      'a group of another load balancer',
      (elb) => elb.groups.set('green', { states: ['healthy'], loadBalancerArns: ['arn:other'] }),
      [`fail TRAFFIC_WRONG_TYPE: ${groupArn('green')} belongs to another load balancer: arn:other`],
    ],
    [
      'stickiness, and for how long',
      (elb) => {
        const sticky = { TargetGroupStickinessConfig: { Enabled: 'true', DurationSeconds: '3600' } }
        elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 }, sticky)])
      },
      [`warn TRAFFIC_STICKY: ${RULE} keeps each client at its target group for 1h`],
    ],
    [
      'stickiness that is off as no trouble',
      (elb) => {
        const off = { TargetGroupStickinessConfig: { Enabled: 'false' } }
        elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 }, off)])
      },
      [],
    ],
    [
      'another writer',
      (elb) => elb.tags.set(ALB_LISTENER_ARN, CONTROLLER_TAGS),
      [`warn TRAFFIC_OTHER_WRITER: ${OWNED}`],
    ],
    [
      'tags that it may not read',
      (elb) => forbid(elb, 'DescribeTags'),
      ['warn TRAFFIC_FORBIDDEN: ELB does not allow elasticloadbalancing:DescribeTags: AccessDenied: no DescribeTags'],
    ],
  ])('finds %s', async (_, arrange, findings) => {
    const { elb, inspect } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 })])
    arrange(elb)
    expect(await inspect()).toEqual(findings)
    expect(elb.changes()).toEqual([])
  })
})

describe('another writer of ELB’s actions', () => {
  test.each([
    ['of the rule', RULE],
    ['of its listener', ALB_LISTENER_ARN],
    ['of its load balancer', ALB_ARN],
  ])('is told by the tags %s, which are asked once', async (_, arn) => {
    const { elb, read } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 })])
    elb.tags.set(arn, CONTROLLER_TAGS)
    for (let time = 0; time < 2; time++)
      expect(await read()).toEqual({ kind: 'weight', weightPercent: 0, otherWriter: OWNED })
    expect(elb.calls.filter(({ action }) => action === 'DescribeTags')).toHaveLength(1)
  })

  test.each([
    [{ 'elbv2.k8s.aws/cluster': 'prod-a', 'service.k8s.aws/stack': 'mail/smtp' }, 'from its Service:'],
    [{ 'elbv2.k8s.aws/cluster': 'prod-a' }, 'from its Kubernetes objects:'],
    [{ 'ingress.k8s.aws/stack': 'shop' }, 'cluster (no tag says which)'],
  ])('is told by %j', async (tags, words) => {
    const { elb, read } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 })])
    elb.tags.set(RULE, tags)
    expect(await read()).toMatchObject({ otherWriter: expect.stringContaining(words) })
  })

  test('is nobody where the tags are one’s own', async () => {
    const { elb, read } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 })])
    elb.tags.set(RULE, { team: 'shop', 'kubernetes.io/service-name': 'x' })
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 0 })
  })

  test('is asked for again when the tags could not be read, and not at each read', async () => {
    const { elb, read, clock, warnings } = await startElbUser({ rule: RULE })
    elb.actions.set(RULE, [forwardTo({ blue: 1, green: 0 })])
    elb.tags.set(RULE, CONTROLLER_TAGS)
    forbid(elb, 'DescribeTags')
    await read()
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 0 })
    expect(warnings).toEqual(['the tags that tell of other writers could not be read'])
    elb.instead = null
    await clock.advance(30_000)
    expect(await read()).toMatchObject({ otherWriter: OWNED })
  })
})

describe('the settings of elbv2', () => {
  const good = { rule: RULE, old: 'blue', new: 'green' }

  test.each<[string, object, string | null]>([
    ['a rule', good, null],
    ['a listener of an NLB', { listener: NLB_LISTENER_ARN, old: groupArn('blue'), new: 'green' }, null],
    ['another partition', { ...good, rule: RULE.replace('arn:aws:', 'arn:aws-cn:') }, null],
    ['neither rule nor listener', { old: 'blue', new: 'green' }, 'this needs either a rule or a listener'],
    ['both', { ...good, listener: ALB_LISTENER_ARN }, 'this needs either a rule or a listener'],
    ['a listener as rule', { ...good, rule: ALB_LISTENER_ARN }, `"${ALB_LISTENER_ARN}" is no ARN of a listener rule`],
    ['a rule as listener', { listener: RULE, old: 'a', new: 'b' }, `"${RULE}" is no ARN of a listener`],
    ['a gateway load balancer', { ...good, rule: RULE.replace('/app/', '/gwy/') }, 'is no ARN of a listener rule'],
    ['one group twice', { ...good, new: groupArn('blue') }, 'old and new are both blue'],
    ['a name with a space', { ...good, new: 'gr een' }, '"gr een" is no target group'],
    [
      'a group elsewhere',
      { ...good, new: groupArn('green').replace('eu-central-1', 'us-east-1') },
      'is in us-east-1, not in eu-central-1',
    ],
  ])('%s', (_, settings, message) => {
    const result = elbv2.settings.safeParse(settings)
    const messages = result.error?.issues.map((issue) => issue.message) ?? []
    expect(messages).toEqual(message === null ? [] : [expect.stringContaining(message)])
  })

  test('an account needs nothing, and has the quota that AWS publishes', () => {
    expect(elbv2Account.parse({})).toEqual({ quota: { callsPerSecond: 10, burst: 40 } })
  })

  test('the least privileges change only the rules and listeners of the targets', () => {
    const targets = [
      { id: 'a', settings: elbv2.settings.parse(good) },
      { id: 'b', settings: elbv2.settings.parse({ listener: NLB_LISTENER_ARN, old: 'blue', new: 'green' }) },
    ]
    const role = { arn: 'arn:aws:iam::123456789012:role/headgate' }
    const [privilege] = elbv2.privilegesFor(targets, elbv2Account.parse({ role }))
    expect(privilege).toMatchObject({
      title: 'IAM policy of arn:aws:iam::123456789012:role/headgate, for load balancers',
      format: 'json',
      document: {
        Statement: [
          { Resource: '*', Action: expect.not.arrayContaining([expect.stringContaining('Modify')]) },
          { Action: 'elasticloadbalancing:ModifyRule', Resource: [RULE] },
          { Action: 'elasticloadbalancing:ModifyListener', Resource: [NLB_LISTENER_ARN] },
        ],
      },
    })
  })
})
