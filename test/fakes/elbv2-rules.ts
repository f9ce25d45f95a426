import { isList, listIn, objectOf, textIn, type Wire, type WireList, type WireObject } from './elbv2-wire.ts'

/** How ELB refuses: its code, in its words. */
export class ElbRefusal extends Error {
  readonly status: number
  readonly code: string

  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

export interface ActionRules {
  readonly isNetwork: boolean
  readonly groupArns: ReadonlySet<string>
  /** What is there now: a secret that a new list leaves out is kept from it. */
  readonly before: WireList
}

const ACTION_KEYS: ReadonlySet<string> = new Set([
  'Type',
  'TargetGroupArn',
  'AuthenticateOidcConfig',
  'AuthenticateCognitoConfig',
  'Order',
  'RedirectConfig',
  'FixedResponseConfig',
  'ForwardConfig',
  'JwtValidationConfig',
])
const LAST: ReadonlySet<string> = new Set(['forward', 'redirect', 'fixed-response'])

/** The actions as ELB would keep them, or its refusal. */
export function keptActions(actions: WireList, rules: ActionRules): WireList {
  if (actions.length === 0) throw new ElbRefusal('ValidationError', 'A list of actions must be specified')
  if (rules.isNetwork && (actions.length > 1 || textIn(actions[0], 'Type') !== 'forward'))
    throw new ElbRefusal('InvalidLoadBalancerAction', 'Network Load Balancers forward, and nothing else')
  const orders = actions.map((action) => textIn(action, 'Order'))
  if (actions.length > 1 && (orders.includes('') || new Set(orders).size < orders.length))
    throw new ElbRefusal('ValidationError', 'each of several actions must have an order of its own')
  const sorted = actions.toSorted((a, b) => Number(textIn(a, 'Order')) - Number(textIn(b, 'Order')))
  for (const [index, action] of sorted.entries())
    if (LAST.has(textIn(action, 'Type')) !== (index === sorted.length - 1))
      throw new ElbRefusal('InvalidLoadBalancerAction', 'the last action, and no other, must be one that answers')
  return actions.map((action) => kept(objectOf(action), rules))
}

function kept(action: WireObject, rules: ActionRules): Wire {
  const strange = Object.keys(action).find((key) => !ACTION_KEYS.has(key))
  if (strange !== undefined) throw new ElbRefusal('ValidationError', `unknown member ${strange}`)
  if ('AuthenticateOidcConfig' in action) return oidc(action, rules)
  return textIn(action, 'Type') === 'forward' ? forward(action, rules) : action
}

/** The secret goes in, and never comes out again. */
function oidc(action: WireObject, { before }: ActionRules): Wire {
  const { ClientSecret, UseExistingClientSecret, ...config } = objectOf(action.AuthenticateOidcConfig)
  const hadOne = before.some((one) => textIn(objectOf(one).AuthenticateOidcConfig, 'ClientId') === config.ClientId)
  if ((ClientSecret === undefined) === (UseExistingClientSecret !== 'true') || (ClientSecret === undefined && !hadOne))
    throw new ElbRefusal('ValidationError', 'either ClientSecret or UseExistingClientSecret must be specified')
  return { ...action, AuthenticateOidcConfig: config }
}

function forward(action: WireObject, rules: ActionRules): Wire {
  const { TargetGroupArn, ForwardConfig } = action
  if (ForwardConfig === undefined) {
    known(String(TargetGroupArn), rules)
    return { ...action, ForwardConfig: { TargetGroups: [{ TargetGroupArn: String(TargetGroupArn), Weight: '1' }] } }
  }
  const groups = listIn(ForwardConfig, 'TargetGroups')
  if (TargetGroupArn !== undefined && (groups.length !== 1 || textIn(groups[0], 'TargetGroupArn') !== TargetGroupArn))
    throw new ElbRefusal('ValidationError', 'TargetGroupArn and ForwardConfig must name one and the same target group')
  if (groups.length < 1 || groups.length > 5)
    throw new ElbRefusal('TooManyTargetGroups', 'a forward has 1 to 5 target groups')
  const arns = groups.map((group) => textIn(group, 'TargetGroupArn'))
  if (new Set(arns).size < arns.length) throw new ElbRefusal('ValidationError', 'a target group is there twice')
  for (const arn of arns) known(arn, rules)
  const weights = groups.map((group) => textIn(group, 'Weight'))
  if (weights.some((weight) => !/^\d{1,3}$/.test(weight)))
    throw new ElbRefusal('ValidationError', 'weights must be whole numbers from 0 to 999')
  // Stricter than what is known of AWS: Headgate never writes it.
  if (weights.every((weight) => Number(weight) === 0)) throw new ElbRefusal('ValidationError', 'all weights are 0')
  const sticky = objectOf(ForwardConfig).TargetGroupStickinessConfig
  if (!rules.isNetwork && textIn(sticky, 'Enabled') === 'true' && textIn(sticky, 'DurationSeconds') === '')
    throw new ElbRefusal('ValidationError', 'stickiness needs a duration')
  return action
}

function known(arn: string, { groupArns }: ActionRules): void {
  if (!groupArns.has(arn)) throw new ElbRefusal('TargetGroupNotFound', `One or more target groups not found: ${arn}`)
}

/** Refuses what is no list of texts. */
export function textsIn(params: WireObject, key: string): readonly string[] {
  const list = params[key]
  return isList(list) ? list.map(String) : []
}
