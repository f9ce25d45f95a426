import type { Metadata, Resource } from './route.ts'

/** What the advice to each writer depends on. */
interface Place {
  readonly resource: Resource
  readonly weightsPath: string
  readonly listPointer: string
  /** Whether Headgate may put more there than weights. */
  readonly hasTrials: boolean
}

interface Writer {
  /** By the name under which it writes. */
  readonly manager: RegExp
  /** By what it leaves on the objects that it manages; null: by its name alone. */
  readonly isMarked: ((metadata: Metadata) => boolean) | null
  /** One sentence: who it is, and what to change there. */
  advice(place: Place): string
}

/** Those who write an object again by themselves. A person with kubectl, or helm by hand, does not. */
const WRITERS: readonly Writer[] = [
  {
    manager: /^argocd-/,
    isMarked: ({ annotations }) => 'argocd.argoproj.io/tracking-id' in annotations,
    advice: ({ resource: { group, kind }, weightsPath, listPointer, hasTrials }) =>
      `Argo CD manages this object: unless it does already, let its Application ignore ${weightsPath}` +
      `${hasTrials ? `, or for mirrored or marked requests ${listPointer.replaceAll('/', '.')} whole,` : ''} ` +
      `(ignoreDifferences: group ${group}, kind ${kind}, jqPathExpressions), with the sync option RespectIgnoreDifferences=true`,
  },
  {
    manager: /^kustomize-controller$/,
    isMarked: ({ labels }) => 'kustomize.toolkit.fluxcd.io/name' in labels,
    advice: () =>
      'Flux applies this object from Git again and again: in Git, annotate it with ' +
      'kustomize.toolkit.fluxcd.io/ssa: IfNotPresent, or suspend its Kustomization while the traffic moves',
  },
  {
    manager: /^helm-controller$/,
    isMarked: ({ labels }) => 'helm.toolkit.fluxcd.io/name' in labels,
    advice: ({ resource: { kind }, listPointer }) =>
      `Flux manages this object by a HelmRelease: let its spec.driftDetection ignore ${listPointer} of kind ${kind}, ` +
      'and upgrade nothing while the traffic moves',
  },
  {
    manager: /^rollouts-controller$|^argo-rollouts/,
    isMarked: null,
    advice: () => "Argo Rollouts writes weights here: take this object out of its Rollouts' trafficRouting",
  },
  {
    manager: /^flagger$/,
    isMarked: null,
    advice: () => 'Flagger writes weights here: take this object out of its Canary',
  },
]

/** Annotations by which Flux is told to leave an object alone. */
const LEFT_ALONE: readonly (readonly [string, RegExp])[] = [
  ['kustomize.toolkit.fluxcd.io/ssa', /^(?:IfNotPresent|Ignore)$/i],
  ['kustomize.toolkit.fluxcd.io/reconcile', /^disabled$/i],
]

/**
 * Who else writes an object, and what to change there; null: nobody that can be seen. Whoever applied the object is
 * looked for, not only the owner of the weights: Headgate's own write takes that ownership away.
 */
export function otherWriterOf(metadata: Metadata, place: Place): string | null {
  const managers = metadata.managedFields.flatMap(({ manager, subresource }) => (subresource === '' ? [manager] : []))
  const isAlone = LEFT_ALONE.some(([name, value]) => value.test(metadata.annotations[name] ?? ''))
  const writer = WRITERS.find(
    ({ manager, isMarked }) => managers.some((name) => manager.test(name)) || isMarked?.(metadata),
  )
  if (!writer || (isAlone && writer.manager.test('kustomize-controller'))) return null
  return writer.advice(place)
}
