import type { ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ElbRefusal, keptActions, textsIn } from './elbv2-rules.ts'
import { listIn, objectOf, parseForm, textIn, toXml, type Wire, type WireList, type WireObject } from './elbv2-wire.ts'

const REGION = 'eu-central-1'
const START = `arn:aws:elasticloadbalancing:${REGION}:123456789012`
export const ALB_ARN = `${START}:loadbalancer/app/shop/50dc6c495c0c9188`
export const ALB_LISTENER_ARN = `${START}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2`
export const NLB_LISTENER_ARN = `${START}:listener/net/mail/6a1c3c2dd5ff0a12/d5f7cc8efc522ab2`

/** The ARN of a rule of the ALB's listener, by the last part of it. */
export function ruleArn(id: string): string {
  return `${ALB_LISTENER_ARN.replace(':listener/', ':listener-rule/')}/${id}`
}

/** The ARN of a target group. */
export function groupArn(name: string): string {
  return `${START}:targetgroup/${name}/73e2d6bc24d8a067`
}

/** A forward to some groups by weight, as ELB tells it. */
export function forwardTo(weights: Readonly<Record<string, number>>, rest: WireObject = {}): WireObject {
  const TargetGroups = Object.entries(weights).map(([name, weight]) => ({
    TargetGroupArn: groupArn(name),
    Weight: String(weight),
  }))
  return { Type: 'forward', ForwardConfig: { TargetGroups, ...rest } }
}

/** A forward to one group, as it is made without weights. */
export function forwardToOne(name: string): WireObject {
  return { ...forwardTo({ [name]: 1 }), TargetGroupArn: groupArn(name) }
}

export interface FakeGroup {
  /** Each target's state, e.g. `healthy`. */
  states: readonly string[]
  /** Of all its targets. */
  reason?: string
  loadBalancerArns: readonly string[]
}

export interface SeenCall {
  readonly action: string
  readonly params: WireObject
}

/** Elastic Load Balancing over HTTP, as strict as it is known to be, in this process. */
export interface FakeElb {
  readonly url: string
  /** The actions of rules and of listeners, by ARN. */
  readonly actions: Map<string, WireList>
  readonly defaultRules: Set<string>
  /** By name. */
  readonly groups: Map<string, FakeGroup>
  /** By ARN of what has them. */
  readonly tags: Map<string, Readonly<Record<string, string>>>
  readonly calls: SeenCall[]
  /** Those of it that change something. */
  changes(): readonly SeenCall[]
  /** Answers some calls with this instead, before it does anything; null: all as it should. */
  instead: ((call: SeenCall, response: ServerResponse) => boolean) | null
  /** Called with a call whose work is done, before the answer; true: it answers itself. */
  afterwards: ((call: SeenCall, response: ServerResponse) => boolean) | null
  stop(): Promise<void>
}

/** Starts with the groups blue and green, all healthy, and no rule. Takes this access key only. */
export async function startFakeElb(accessKeyId: string): Promise<FakeElb> {
  const healthy = (): FakeGroup => ({ states: ['healthy', 'healthy'], loadBalancerArns: [ALB_ARN] })
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const { Action, Version, ...params } = parseForm(Buffer.concat(chunks).toString('utf8'))
    const call = { action: String(Action), params }
    fake.calls.push(call)
    if (fake.instead?.(call, response)) return
    try {
      const signed = new RegExp(`Credential=${accessKeyId}/\\d{8}/${REGION}/elasticloadbalancing/aws4_request`)
      if (!signed.test(incoming.headers.authorization ?? ''))
        throw new ElbRefusal('InvalidClientTokenId', 'The security token included in the request is invalid.', 403)
      if (Version !== '2015-12-01') throw new ElbRefusal('InvalidAction', 'Could not find the operation')
      const result = ANSWERS[call.action]?.(fake, params)
      if (!result) throw new ElbRefusal('InvalidAction', `Could not find operation ${call.action}`)
      if (fake.afterwards?.(call, response)) return
      const body = `<${call.action}Result>${toXml(result)}</${call.action}Result>`
      replyXml(response, 200, `<${call.action}Response xmlns="${NAMESPACE}">${body}</${call.action}Response>`)
    } catch (error) {
      if (!(error instanceof ElbRefusal)) throw error
      refuse(response, error)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const fake: FakeElb = {
    url: `http://127.0.0.1:${port}`,
    actions: new Map(),
    defaultRules: new Set(),
    groups: new Map([
      ['blue', healthy()],
      ['green', healthy()],
    ]),
    tags: new Map(),
    calls: [],
    changes: () => fake.calls.filter(({ action }) => action.startsWith('Modify')),
    instead: null,
    afterwards: null,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return fake
}

const NAMESPACE = 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/'

/** Sends ELB's refusal. */
export function refuse(response: ServerResponse, { code, message, status }: ElbRefusal): void {
  const error = toXml({ Error: { Type: 'Sender', Code: code, Message: message }, RequestId: 'fake' })
  replyXml(response, status, `<ErrorResponse xmlns="${NAMESPACE}">${error}</ErrorResponse>`)
}

/** Sends XML, or what claims to be some. */
export function replyXml(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/xml' }).end(body)
}

const ANSWERS: Readonly<Record<string, (fake: FakeElb, params: WireObject) => WireObject>> = {
  DescribeRules: (fake, params) => ({
    Rules: textsIn(only(params, ['RuleArns']), 'RuleArns').map((arn) => shownRule(fake, arn)),
  }),
  DescribeListeners: (fake, params) => ({
    Listeners: textsIn(only(params, ['ListenerArns']), 'ListenerArns').map((arn) => shownListener(fake, arn)),
  }),
  ModifyRule(fake, params) {
    const arn = textIn(only(params, ['RuleArn', 'Actions']), 'RuleArn')
    if (fake.defaultRules.has(arn))
      throw new ElbRefusal('OperationNotPermitted', 'The default rule is changed with its listener')
    keep(fake, arn, listIn(params, 'Actions'), 'Rule')
    return { Rules: [shownRule(fake, arn)] }
  },
  ModifyListener(fake, params) {
    const arn = textIn(only(params, ['ListenerArn', 'DefaultActions']), 'ListenerArn')
    keep(fake, arn, listIn(params, 'DefaultActions'), 'Listener')
    return { Listeners: [shownListener(fake, arn)] }
  },
  DescribeTargetGroups(fake, params) {
    const names = textsIn(only(params, ['Names', 'TargetGroupArns']), 'Names')
    const arns = textsIn(params, 'TargetGroupArns')
    if (names.length > 0 && arns.length > 0) throw new ElbRefusal('ValidationError', 'names or ARNs, not both')
    const all = [...fake.groups].map(([name, group]) => ({ name, arn: groupArn(name), group }))
    const found = all.filter(({ name, arn }) => names.includes(name) || arns.includes(arn))
    if (found.length < names.length + arns.length)
      throw new ElbRefusal('TargetGroupNotFound', 'One or more target groups not found')
    return {
      TargetGroups: found.map(({ name, arn, group }) => ({
        TargetGroupArn: arn,
        TargetGroupName: name,
        LoadBalancerArns: group.loadBalancerArns,
      })),
    }
  },
  DescribeTargetHealth(fake, params) {
    const arn = textIn(only(params, ['TargetGroupArn']), 'TargetGroupArn')
    const group = [...fake.groups].find(([name]) => groupArn(name) === arn)?.[1]
    if (!group) throw new ElbRefusal('TargetGroupNotFound', 'One or more target groups not found')
    return { TargetHealthDescriptions: group.states.map((state) => shownTarget(state, group.reason)) }
  },
  DescribeTags(fake, params) {
    const arns = textsIn(only(params, ['ResourceArns']), 'ResourceArns')
    if (arns.length > 20) throw new ElbRefusal('ValidationError', 'at most 20 resources')
    return {
      TagDescriptions: arns.map((arn) => ({
        ResourceArn: arn,
        Tags: Object.entries(fake.tags.get(arn) ?? {}).map(([Key, Value]) => ({ Key, Value })),
      })),
    }
  },
}

/** Refuses what Headgate has no reason to send. */
function only(params: WireObject, allowed: readonly string[]): WireObject {
  const strange = Object.keys(params).find((key) => !allowed.includes(key))
  if (strange !== undefined) throw new ElbRefusal('ValidationError', `unexpected parameter ${strange}`)
  return params
}

function shownRule(fake: FakeElb, arn: string): Wire {
  const actions = found(fake, arn, 'Rule')
  return { RuleArn: arn, Priority: '10', Actions: actions, IsDefault: String(fake.defaultRules.has(arn)) }
}

function shownListener(fake: FakeElb, arn: string): Wire {
  return { ListenerArn: arn, Port: '443', DefaultActions: found(fake, arn, 'Listener') }
}

function shownTarget(state: string, reason: string | undefined): Wire {
  return {
    Target: { Id: '10.0.0.1', Port: '8080' },
    TargetHealth: { State: state, ...(reason !== undefined && { Reason: reason }) },
  }
}

function keep(fake: FakeElb, arn: string, actions: WireList, what: string): void {
  const before = found(fake, arn, what)
  const groupArns = new Set([...fake.groups.keys()].map(groupArn))
  fake.actions.set(arn, keptActions(actions, { isNetwork: arn.includes('/net/'), groupArns, before }))
}

function found(fake: FakeElb, arn: string, what: string): WireList {
  const actions = fake.actions.get(arn)
  if (!actions) throw new ElbRefusal(`${what}NotFound`, `One or more ${what.toLowerCase()}s not found`)
  return actions
}

/** The weights of a forward, by the groups' names, as they are now. */
export function weightsAt(fake: FakeElb, arn: string): Readonly<Record<string, number>> {
  const forward = (fake.actions.get(arn) ?? []).find((action) => textIn(action, 'Type') === 'forward')
  const groups = listIn(objectOf(forward).ForwardConfig, 'TargetGroups')
  return Object.fromEntries(
    groups.map((group) => [textIn(group, 'TargetGroupArn').split('/')[1] ?? '', Number(textIn(group, 'Weight'))]),
  )
}
