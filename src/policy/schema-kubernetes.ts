import { z } from 'zod'
import { contextName, kubeconfigPath, objectName } from '../shared/kubernetes/settings.ts'
import { about, percent } from '../shared/schema.ts'

/** More than this on top of what is needed is rather a mistake. */
const MAX_HEADROOM_PERCENT = 400
const MAX_REPLICAS = 100_000

function place(which: string, context: string) {
  return z
    .strictObject({
      kubeconfig: kubeconfigPath().meta(
        about(
          "The kubeconfig; by default the pod's own service account, else KUBECONFIG, else ~/.kube/config",
          '/etc/kube',
        ),
      ),
      context: contextName().meta(about("The kubeconfig's context; by default the current one", context)),
    })
    .meta(about(`The API server of ${which}`, { context }))
}

/** How the API servers of both clusters are reached. */
export const kubernetesSchema = z
  .strictObject({ old: place('OLD', 'prod-a'), new: place('NEW', 'prod-b') })
  .meta(about("Access to the clusters' API servers; left out: nothing of Kubernetes is looked at"))

const deployment = objectName().optional()
const statefulSet = objectName().optional()

function other(which: string) {
  return z
    .strictObject({
      namespace: objectName().optional().meta(about('Its namespace there', 'shop-v2')),
      deployment: deployment.meta(about('The Deployment there', 'checkout-v2')),
      statefulSet: statefulSet.meta(about('The StatefulSet there', 'checkout-v2')),
    })
    .superRefine(({ deployment, statefulSet }, ctx) => {
      if (deployment !== undefined && statefulSet !== undefined) refuseBoth(ctx)
    })
    .optional()
    .meta(about(`What is called otherwise in ${which}`, { namespace: 'shop-v2' }))
}

/** A workload's object in both clusters. */
export const objectsSchema = z
  .strictObject({
    namespace: objectName().meta(about('Its namespace', 'shop')),
    deployment: deployment.meta(about('The Deployment that runs it', 'checkout')),
    statefulSet: statefulSet.meta(about('The StatefulSet that runs it', 'checkout')),
    old: other('OLD'),
    new: other('NEW'),
  })
  .superRefine(({ deployment, statefulSet }, ctx) => {
    if (deployment !== undefined && statefulSet !== undefined) refuseBoth(ctx)
    if (deployment !== undefined || statefulSet !== undefined) return
    const params = { code: 'CONFIG_MISSING_KEY', hint: 'add `deployment: NAME` or `statefulSet: NAME`' }
    ctx.addIssue({ code: 'custom', message: 'nothing says what runs the workload', params })
  })
  .meta(about('The object that runs the workload in each cluster', { namespace: 'shop', deployment: 'checkout' }))

export type ObjectsSettings = z.output<typeof objectsSchema>

const scaleDownSchema = z
  .union([
    z.literal('off'),
    z.strictObject({
      replicas: z
        .int()
        .min(0)
        .max(MAX_REPLICAS)
        .prefault(0)
        .meta(about('What OLD keeps', 0, 'replicas')),
      approval: z.boolean().prefault(true).meta(about('Only after a person has approved it', true)),
    }),
  ])
  .optional()
  .meta(
    about("What becomes of OLD's replicas once the workload has moved and OLD is quiet; `off`: nothing", {
      replicas: 0,
      approval: true,
    }),
  )

/** Of a policy: replicas that a share needs. */
export const capacitySchema = z
  .union([
    z.literal('off'),
    z.strictObject({
      headroom: percent({ max: MAX_HEADROOM_PERCENT })
        .optional()
        .meta(about('Ready replicas on top of those that the share needs', '25%')),
      scale: z
        .enum(['off', 'up'])
        .optional()
        .meta(about('`up`: what is too small is scaled up, NEW before a raise, OLD before a revert', 'up')),
      scaleDownOld: scaleDownSchema,
    }),
  ])
  .optional()
  .meta(
    about('Whether a cluster must have the replicas for its share, where the workload names its objects; `off`: no', {
      headroom: '25%',
      scale: 'up',
    }),
  )

/** Of a workload: what all of its traffic needs. */
export const replicasSchema = z
  .strictObject({
    replicas: z
      .int()
      .min(1)
      .max(MAX_REPLICAS)
      .meta(
        about('Replicas that all of the traffic needs; by default as many as OLD has at the start', 12, 'replicas'),
      ),
  })
  .optional()
  .meta(about('What all of the traffic needs', { replicas: 12 }))

function refuseBoth(ctx: {
  addIssue(issue: { code: 'custom'; message: string; path: string[]; params: object }): void
}): void {
  const params = { code: 'CONFIG_WRONG_VALUE', hint: 'keep the one that runs the workload' }
  ctx.addIssue({ code: 'custom', path: ['statefulSet'], message: 'a workload is one object', params })
}
