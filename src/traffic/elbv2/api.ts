import type {
  Action,
  ElasticLoadBalancingV2Client,
  TagDescription,
  TargetGroup,
  TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import { Problem, problem } from '../../core/problem.ts'
import type { Quota, QuotaUse } from '../../ports/quota.ts'
import { type AwsAccount, AwsClients, type AwsLease } from '../aws.ts'
import { AwsFailure, badAwsAnswer, callAws } from '../aws-call.ts'
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

/** What a call is for; `taken`: who asks has taken one call of the quota already. */
export type CallUse = QuotaUse | 'taken'

/** How a call is made. */
export interface Caller {
  readonly use: CallUse
  readonly signal: AbortSignal
}

/** The actions of a rule or listener, as they are now. */
export interface Actions {
  readonly actions: readonly Action[]
  /** A listener's default rule, which has an ARN, and yet is only changed by way of its listener. */
  readonly isDefaultRule: boolean
}

/** The calls to Elastic Load Balancing that Headgate makes. None of them throws or is tried twice. */
export class ElbApi {
  readonly #quota: Quota
  readonly #lease: AwsLease<Elb>

  constructor(account: AwsAccount, quota: Quota) {
    this.#quota = quota
    this.#lease = clients.lease(account)
  }

  async actions(place: ElbPlace, caller: Caller): Promise<Actions | Problem> {
    if (place.kind === 'rule') {
      const answer = await this.#call('DescribeRules', caller, ({ sdk, client }) =>
        client.send(new sdk.DescribeRulesCommand({ RuleArns: [place.arn] }), { abortSignal: caller.signal }),
      )
      if (answer instanceof Problem) return answer
      const rule = answer.Rules?.find(({ RuleArn }) => RuleArn === place.arn)
      return rule
        ? { actions: rule.Actions ?? [], isDefaultRule: rule.IsDefault === true }
        : badAwsAnswer(`DescribeRules answered without ${place.arn}`)
    }
    const answer = await this.#call('DescribeListeners', caller, ({ sdk, client }) =>
      client.send(new sdk.DescribeListenersCommand({ ListenerArns: [place.arn] }), { abortSignal: caller.signal }),
    )
    if (answer instanceof Problem) return answer
    const listener = answer.Listeners?.find(({ ListenerArn }) => ListenerArn === place.arn)
    return listener
      ? { actions: listener.DefaultActions ?? [], isDefaultRule: false }
      : badAwsAnswer(`DescribeListeners answered without ${place.arn}`)
  }

  /** Replaces all actions; what else the rule or listener has stays, as it is not named. */
  async modify(place: ElbPlace, actions: readonly Action[], caller: Caller): Promise<Problem | null> {
    const options = { abortSignal: caller.signal }
    const answer =
      place.kind === 'rule'
        ? await this.#call('ModifyRule', caller, ({ sdk, client }) =>
            client.send(new sdk.ModifyRuleCommand({ RuleArn: place.arn, Actions: [...actions] }), options),
          )
        : await this.#call('ModifyListener', caller, ({ sdk, client }) =>
            client.send(
              new sdk.ModifyListenerCommand({ ListenerArn: place.arn, DefaultActions: [...actions] }),
              options,
            ),
          )
    return answer instanceof Problem ? answer : null
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

  async tags(arns: readonly string[], caller: Caller): Promise<readonly TagDescription[] | Problem> {
    const answer = await this.#call('DescribeTags', caller, ({ sdk, client }) =>
      client.send(new sdk.DescribeTagsCommand({ ResourceArns: [...arns] }), { abortSignal: caller.signal }),
    )
    return answer instanceof Problem ? answer : listed('DescribeTags', answer.TagDescriptions)
  }

  close(): void {
    this.#lease.close()
  }

  async #call<Answer>(
    action: string,
    { use, signal }: Caller,
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

function listed<Item>(action: string, list: readonly Item[] | undefined): readonly Item[] | Problem {
  return list ?? badAwsAnswer(`${action} answered without a list`)
}
