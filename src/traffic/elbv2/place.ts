/** What an ARN of a listener or of a listener rule says. */
export interface ElbPlace {
  readonly kind: 'rule' | 'listener'
  readonly arn: string
  readonly partition: string
  readonly region: string
  readonly accountId: string
  /** The rule's listener, or the listener itself. */
  readonly listenerArn: string
  readonly loadBalancerArn: string
}

const PLACE =
  /^arn:(aws[a-z-]*):elasticloadbalancing:([a-z0-9-]+):(\d{12}):(listener-rule|listener)\/(app|net)\/([\w-]+)\/([\w-]+)\/([\w-]+)(?:\/([\w-]+))?$/

/** Reads an ARN of an ALB's or NLB's listener or rule; null: it is none. */
export function elbPlaceOf(arn: string): ElbPlace | null {
  const [, partition, region, accountId, kind, type, name, balancerId, listenerId, ruleId] = PLACE.exec(arn) ?? []
  if (partition === undefined || region === undefined || accountId === undefined) return null
  if ((kind === 'listener-rule') !== (ruleId !== undefined)) return null
  const start = `arn:${partition}:elasticloadbalancing:${region}:${accountId}`
  return {
    kind: kind === 'listener' ? 'listener' : 'rule',
    arn,
    partition,
    region,
    accountId,
    listenerArn: `${start}:listener/${type}/${name}/${balancerId}/${listenerId}`,
    loadBalancerArn: `${start}:loadbalancer/${type}/${name}/${balancerId}`,
  }
}

const GROUP_ARN =
  /^arn:aws[a-z-]*:elasticloadbalancing:([a-z0-9-]+):(\d{12}):targetgroup\/([A-Za-z0-9-]{1,32})\/[\w-]+$/

/** What an ARN of a target group says; null: it is none. */
export function groupOf(arn: string): { readonly region: string; readonly name: string } | null {
  const [, region, , name] = GROUP_ARN.exec(arn) ?? []
  return region === undefined || name === undefined ? null : { region, name }
}

/** True for the name of a target group: 1 to 32 letters, digits and hyphens, none of these at an end. */
export function isGroupName(text: string): boolean {
  return /^(?!-)[A-Za-z0-9-]{1,32}(?<!-)$/.test(text)
}

/** Whether this ARN is the group that the settings mean by an ARN or by a name; names are unique in a region. */
export function isGroup(arn: string, arnOrName: string): boolean {
  return arn === arnOrName || groupOf(arn)?.name === arnOrName
}
