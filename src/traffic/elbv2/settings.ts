import { z } from 'zod'
import { awsAccountKeys } from '../../shared/aws.ts'
import { about, duration, refuse } from '../../shared/schema.ts'
import { quota } from '../account.ts'
import { elbPlaceOf, groupOf, isGroupName } from './place.ts'

const RULE = 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shop/50dc6c49/f2f7dc8e/9683b2d0'
const LISTENER = 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shop/50dc6c49/f2f7dc8e'

/** One forward action of a listener rule, or of a listener by default, with its two target groups. */
export const elbv2Settings = z
  .strictObject({
    rule: place('rule').optional().meta(about("A listener rule's ARN; either this or `listener`", RULE)),
    listener: place('listener')
      .optional()
      .meta(about("A listener's ARN, for its default action: of an ALB or an NLB", LISTENER)),
    old: group().meta(about('The target group that leads to the old cluster: its name or ARN', 'checkout-blue')),
    new: group().meta(about('The target group that leads to the new cluster: its name or ARN', 'checkout-green')),
    settle: duration({ maxSeconds: 600 })
      .prefault('10s')
      .meta(about('From an acknowledged write until every node of the load balancer must have it', '10s')),
  })
  .transform(({ rule, listener, old, new: fresh, settle }, ctx) => {
    const arn = rule ?? listener
    if (arn === undefined || (rule !== undefined && listener !== undefined))
      return refuse(ctx, 'CONFIG_WRONG_VALUE', 'this needs either a rule or a listener', 'write one of the two')
    const region = elbPlaceOf(arn)?.region
    for (const side of [old, fresh]) {
      const its = groupOf(side)?.region
      if (its !== undefined && its !== region)
        return refuse(
          ctx,
          'CONFIG_WRONG_VALUE',
          `${side} is in ${its}, not in ${region}`,
          'name a group of that region',
        )
    }
    if ((groupOf(old)?.name ?? old) === (groupOf(fresh)?.name ?? fresh))
      return refuse(ctx, 'CONFIG_DUPLICATE', `old and new are both ${old}`, 'name two target groups')
    return { arn, old, new: fresh, settleSeconds: settle }
  })

export type Elbv2Settings = z.output<typeof elbv2Settings>

/**
 * AWS throttles by account and region, with a bucket of 40 calls that 10 a second fill again for calls that only read
 * (Elastic Load Balancing user guide, "Request throttling"). What calls that change have was not found: a refusal
 * empties Headgate's bucket.
 */
export const elbv2Account = z.strictObject({ ...awsAccountKeys(), quota: quota({ callsPerSecond: 10, burst: 40 }) })

export type Elbv2Account = z.output<typeof elbv2Account>

function place(kind: 'rule' | 'listener') {
  return z.string().superRefine((text, ctx) => {
    if (elbPlaceOf(text)?.kind === kind) return
    const path = kind === 'rule' ? 'listener-rule/app/NAME/ID/ID/ID' : 'listener/app/NAME/ID/ID'
    refuse(
      ctx,
      'CONFIG_WRONG_VALUE',
      `"${text}" is no ARN of a ${kind === 'rule' ? 'listener rule' : 'listener'}`,
      `write arn:aws:elasticloadbalancing:REGION:ACCOUNT:${path}`,
    )
  })
}

function group() {
  return z.string().superRefine((text, ctx) => {
    if (!isGroupName(text) && groupOf(text) === null)
      refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no target group`, 'write its name, or its ARN')
  })
}
