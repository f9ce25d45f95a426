import type { TagDescription } from '@aws-sdk/client-elastic-load-balancing-v2'

const CLUSTER_TAG = 'elbv2.k8s.aws/cluster'
/** `ingress.k8s.aws/stack`, `service.k8s.aws/stack`, and what the Gateway API's load balancers have. */
const STACK_TAG = /^([a-z]+)\.k8s\.aws[.a-z]*\/stack$/

/** What the AWS Load Balancer Controller takes the weights from, by the first word of its stack tag. */
const SOURCES: Readonly<Record<string, string>> = {
  ingress: 'the annotation alb.ingress.kubernetes.io/actions.<name> of its Ingress objects',
  service: 'its Service',
  gateway: 'its routes',
}

const WHAT_TO_DO =
  'point the target at a load balancer that the controller does not own, and keep the pods registered by TargetGroupBindings'

/**
 * Who else writes the actions, by the tags of the rule, its listener and its load balancer: the AWS Load Balancer
 * Controller restores what its Kubernetes objects say, and removes rules that these don't. One sentence; null: nobody
 * that tags tell of.
 */
export function ownerOf(descriptions: readonly TagDescription[]): string | null {
  const tags = new Map(
    descriptions.flatMap(({ Tags = [] }) => Tags.map(({ Key = '', Value = '' }) => [Key, Value] as const)),
  )
  const stack = [...tags].find(([key]) => STACK_TAG.test(key))
  const cluster = tags.get(CLUSTER_TAG)
  if (!stack && cluster === undefined) return null
  const word = STACK_TAG.exec(stack?.[0] ?? '')?.[1] ?? ''
  const what = stack ? ` for the stack ${stack[1]}` : ''
  const who = `the AWS Load Balancer Controller of cluster ${cluster ?? '(no tag says which)'}`
  return `${who} writes here${what}, from ${SOURCES[word] ?? 'its Kubernetes objects'}: ${WHAT_TO_DO}`
}
