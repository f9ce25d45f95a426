import { z } from 'zod'
import { contextName, kubeconfigPath, objectName } from '../../shared/kubernetes/settings.ts'
import { about, duration, refuse } from '../../shared/schema.ts'

export { objectName }

/** What the targets of a Kubernetes kind share. */
export const kubernetesAccount = z.strictObject({
  kubeconfig: kubeconfigPath().meta(
    about(
      "The kubeconfig; by default the pod's own service account, else KUBECONFIG, else ~/.kube/config",
      '/etc/kube',
    ),
  ),
})

export type KubernetesAccount = z.output<typeof kubernetesAccount>

/** Keys that a target of each Kubernetes kind has. */
export function clusterKeys() {
  return {
    context: contextName().meta(
      about("The kubeconfig's context of the cluster that has the object; by default the current one", 'edge'),
    ),
    namespace: objectName().meta(about('The namespace of the object', 'shop')),
    settle: duration()
      .prefault('5s')
      .meta(about('From a write that the controller has taken until every proxy has it', '5s')),
  }
}

/** A port's number. */
export function port() {
  return z.int().min(1).max(65_535).nullable().prefault(null)
}

/** Which of a list: by name, or by its place, 0 the first. */
export function nameOrIndex() {
  return z
    .union([
      z.string().superRefine((text, ctx) => {
        if (!/^[^\p{C}]{1,253}$/u.test(text)) refuse(ctx, 'CONFIG_WRONG_VALUE', 'this is no name')
      }),
      z.int().min(0).max(999),
    ])
    .nullable()
    .prefault(null)
}

/** Both sides of a split must be two. */
export function refuseEqualSides(
  settings: { readonly old: unknown; readonly new: unknown },
  ctx: Parameters<typeof refuse>[0],
): void {
  if (JSON.stringify(settings.old) === JSON.stringify(settings.new))
    refuse(ctx, 'CONFIG_DUPLICATE', '`old` and `new` are the same', 'name two backends')
}
