import type {
  Action,
  ElasticLoadBalancingV2Client,
  Listener,
  Rule,
  TagDescription,
  TargetGroup,
  TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import { Problem, problem } from '../../core/problem.ts'
import type { Quota, QuotaUse } from '../../ports/quota.ts'
import { type AwsAccount, AwsClients, type AwsLease } from '../../shared/aws.ts'
import { AwsFailure, badAwsAnswer, callAws } from '../aws-call.ts'
import { Batches } from './batch.ts'
import type { ElbPlace } from './place.ts'

type Sdk = typeof import('@aws-sdk/client-elastic-load-balancing-v2')

/** The SDK, once it is loaded, and a client of it. */
interface Elb {
  readonly sdk: Sdk
  readonly client: ElasticLoadBalancingV2Client
  destroy(): void
}

const clients = new AwsClients<Elb>(async (options) => {
  const sdk = await import('@aws-sdk/client-elastic-load-balancing-v2')
  const client = new sdk.ElasticLoadBalancingV2Client(options)
  return { sdk, client, destroy: () => client.destroy() }
})

/** For what a call is made, and until when it may take. */
export interface Caller {
  readonly use: QuotaUse
  readonly signal: AbortSignal
}

/** As `Caller`; `taken`: one call of the quota has been taken for it already. */
interface AnyCaller {
  readonly use: QuotaUse | 'taken'
  readonly signal: AbortSignal
}

/** The actions of a rule or listener, as they are now. */
export interface Actions {
  readonly actions: readonly Action[]
  /** A listener's default rule, which has an ARN, and yet is only changed by way of its listener. */
  readonly isDefaultRule: boolean
}

/** What many scopes of an account ask with one call. */
interface Reads {
  readonly rules: Batches<Actions>
  readonly listeners: Batches<Actions>
  readonly tags: Batches<TagDescription>
}

const readsOf = new WeakMap<AwsAccount, Reads>()

/** The calls to Elastic Load Balancing that Headgate makes. None of them throws or is tried twice. */
export class ElbApi {
  readonly #quota: Quota
  readonly #lease: AwsLease<Elb>
  readonly #reads: Reads

  /** Calls are shared with all that have this very account object. */
  constructor(account: AwsAccount, quota: Quota) {
    this.#quota = quota
    this.#lease = clients.lease(account)
    this.#reads = readsOf.get(account) ?? { rules: new Batches(), listeners: new Batches(), tags: new Batches() }
    readsOf.set(account, this.#reads)
  }

  actions({ kind, arn }: ElbPlace, { use, signal }: Caller): Promise<Actions | Problem> {
    return kind === 'rule'
      ? this.#reads.rules.of(arn, use, this.#quota, (arns, ...how) => this.#rules(arns, ...how), signal)
      : this.#reads.listeners.of(arn, use, this.#quota, (arns, ...how) => this.#listeners(arns, ...how), signal)
  }

  /** Replaces all actions; what else the rule or listener has stays, as it is not named. Answers with what is kept. */
  async modify(place: ElbPlace, actions: readonly Action[], signal: AbortSignal): Promise<Actions | Problem> {
    const options = { abortSignal: signal }
    // Who asks for a write has taken a call for it.
    const caller = { use: 'taken', signal } as const
    if (place.kind === 'rule') {
      const answer = await this.#call('ModifyRule', caller, ({ sdk, client }) =>
        client.send(new sdk.ModifyRuleCommand({ RuleArn: place.arn, Actions: [...actions] }), options),
      )
      return answer instanceof Problem ? answer : inAnswer('ModifyRule', byRule(answer.Rules), place)
    }
    const answer = await this.#call('ModifyListener', caller, ({ sdk, client }) =>
      client.send(new sdk.ModifyListenerCommand({ ListenerArn: place.arn, DefaultActions: [...actions] }), options),
    )
    return answer instanceof Problem ? answer : inAnswer('ModifyListener', byListener(answer.Listeners), place)
  }

  /** The target groups of these names, or of these ARNs. TRAFFIC_NOT_FOUND when one is not there. */
  async groups(
    wanted: { Names: string[] } | { TargetGroupArns: string[] },
    caller: Caller,
  ): Promise<readonly TargetGroup[] | Problem> {
    const answer = await this.#call('DescribeTargetGroups', caller, ({ sdk, client }) =>
      client.send(new sdk.DescribeTargetGroupsCommand(wanted), { abortSignal: caller.signal }),
    )
    return answer instanceof Problem ? answer : listed('DescribeTargetGroups', answer.TargetGroups)
  }

  async targets(groupArn: string, caller: Caller): Promise<readonly TargetHealthDescription[] | Problem> {
    const answer = await this.#call('DescribeTargetHealth', caller, ({ sdk, client }) =>
      client.send(new sdk.DescribeTargetHealthCommand({ TargetGroupArn: groupArn }), { abortSignal: caller.signal }),
    )
    return answer instanceof Problem ? answer : listed('DescribeTargetHealth', answer.TargetHealthDescriptions)
  }

  /** The tags of these, in their order. */
  async tags(arns: readonly string[], { use, signal }: Caller): Promise<readonly TagDescription[] | Problem> {
    const asked = arns.map((arn) =>
      this.#reads.tags.of(arn, use, this.#quota, (some, ...how) => this.#tags(some, ...how), signal),
    )
    const found: TagDescription[] = []
    for (const answer of await Promise.all(asked)) {
      if (answer instanceof Problem) return answer
      found.push(answer)
    }
    return found
  }

  close(): void {
    this.#lease.close()
  }

  async #rules(arns: readonly string[], use: AnyCaller['use'], signal: AbortSignal) {
    const answer = await this.#call('DescribeRules', { use, signal }, ({ sdk, client }) =>
      client.send(new sdk.DescribeRulesCommand({ RuleArns: [...arns] }), { abortSignal: signal }),
    )
    return answer instanceof Problem ? answer : byRule(answer.Rules)
  }

  async #listeners(arns: readonly string[], use: AnyCaller['use'], signal: AbortSignal) {
    const answer = await this.#call('DescribeListeners', { use, signal }, ({ sdk, client }) =>
      client.send(new sdk.DescribeListenersCommand({ ListenerArns: [...arns] }), { abortSignal: signal }),
    )
    return answer instanceof Problem ? answer : byListener(answer.Listeners)
  }

  async #tags(arns: readonly string[], use: AnyCaller['use'], signal: AbortSignal) {
    const answer = await this.#call('DescribeTags', { use, signal }, ({ sdk, client }) =>
      client.send(new sdk.DescribeTagsCommand({ ResourceArns: [...arns] }), { abortSignal: signal }),
    )
    if (answer instanceof Problem) return answer
    return byArn(
      answer.TagDescriptions,
      ({ ResourceArn }) => ResourceArn,
      (one) => one,
    )
  }

  async #call<Answer>(
    action: string,
    { use, signal }: AnyCaller,
    send: (elb: Elb) => Promise<Answer>,
  ): Promise<Answer | Problem> {
    if (use !== 'taken' && !(await this.#quota.take(use, signal)))
      return problem('TRAFFIC_TIMEOUT', `the quota allowed no ${action} within the deadline`)
    const call = { service: 'ELB', action: `elasticloadbalancing:${action}`, quota: this.#quota, signal }
    const answer = await callAws(call, async () => send(await this.#lease.client()))
    if (!(answer instanceof AwsFailure)) return answer
    if (!/^(?:Rule|Listener|LoadBalancer|TargetGroup)NotFound(?:Exception)?$/.test(answer.name)) return answer.problem
    return problem('TRAFFIC_NOT_FOUND', `ELB says ${answer.name}: ${answer.words}`, {
      hint: 'check the names and ARNs in the target, and the account of the credentials',
      from: answer.problem,
    })
  }
}

function byRule(rules: readonly Rule[] | undefined): ReadonlyMap<string, Actions> {
  return byArn(
    rules,
    ({ RuleArn }) => RuleArn,
    ({ Actions = [], IsDefault }) => ({
      actions: Actions,
      isDefaultRule: IsDefault === true,
    }),
  )
}

function byListener(listeners: readonly Listener[] | undefined): ReadonlyMap<string, Actions> {
  return byArn(
    listeners,
    ({ ListenerArn }) => ListenerArn,
    ({ DefaultActions = [] }) => ({
      actions: DefaultActions,
      isDefaultRule: false,
    }),
  )
}

/** What has no ARN cannot be asked for, and what is not in the answer is no answer. */
function byArn<Item, Value>(
  list: readonly Item[] | undefined,
  arnOf: (item: Item) => string | undefined,
  toValue: (item: Item) => Value,
): ReadonlyMap<string, Value> {
  return new Map((list ?? []).map((item) => [arnOf(item) ?? '', toValue(item)] as const))
}

function inAnswer(action: string, found: ReadonlyMap<string, Actions>, { arn }: ElbPlace): Actions | Problem {
  return found.get(arn) ?? badAwsAnswer(`${action} answered without ${arn}`)
}

function listed<Item>(action: string, list: readonly Item[] | undefined): readonly Item[] | Problem {
  return list ?? badAwsAnswer(`${action} answered without a list`)
}
