import type { Missing } from '../core/observation.ts'
import type { ObjectRef, Sides } from '../core/plan.ts'

/**
 * One cluster's API server, as checks, capacity and tasks need it. Never rejects: what cannot be learnt is `missing`, with
 * why. An object that is not there is null, which is an answer.
 */
export interface Cluster {
  /** The workload's object and what belongs to it. */
  workload(ref: ObjectRef, signal: AbortSignal): Promise<ClusterWorkload | Missing | null>
  /** API versions that the server serves, with their kinds, as `apps/v1/Deployment`; CRDs are among them. */
  servedKinds(signal: AbortSignal): Promise<ReadonlySet<string> | Missing>
  /** Pod disruption budgets of a namespace. */
  disruptionBudgets(namespace: string, signal: AbortSignal): Promise<readonly DisruptionBudget[] | Missing>
  /** Whether Headgate's credentials allow each of these (SelfSubjectAccessReview). */
  mayDo(actions: readonly ClusterAction[], signal: AbortSignal): Promise<readonly (boolean | Missing)[]>
  /** How far the server's clock is ahead of ours, ms: to a second, from its Date header. */
  clockAheadMs(signal: AbortSignal): Promise<number | Missing>
  /** Sets spec.replicas through the scale subresource. `null`: done. */
  scale(ref: ObjectRef, replicas: number, signal: AbortSignal): Promise<Missing | null>
  /** Makes a Job of a CronJob's template under this name, unless it is there; tells how it is. */
  job(request: JobRequest, signal: AbortSignal): Promise<JobState | Missing>
  /** Tells an event on an object (`kubectl describe` shows it); the same note is counted up while the server keeps it, an hour as a rule. */
  tell(ref: ObjectRef, note: ClusterNote, signal: AbortSignal): Promise<Missing | null>
  close(): Promise<void>
}

/** The API servers of a migration's clusters; null: nothing says how to reach them. */
export type ClustersOf = (migration: string) => Sides<Cluster> | null

export interface ClusterWorkload {
  readonly ref: ObjectRef
  readonly wantedReplicas: number
  readonly readyReplicas: number
  readonly updatedReplicas: number
  /** False while the controller has not yet seen the newest spec. */
  readonly isObserved: boolean
  /** Bounds of a HorizontalPodAutoscaler of it; null: it has none. */
  readonly autoscaler: { readonly name: string; readonly minReplicas: number; readonly maxReplicas: number } | null
  readonly containers: readonly { readonly name: string; readonly image: string }[]
  /** ConfigMaps that the pods mount or read, with a digest of their data; null: it is not there. */
  readonly configs: readonly { readonly name: string; readonly digest: string | null }[]
  /** PersistentVolumeClaims of the pods, and templates of a StatefulSet. */
  readonly claims: readonly string[]
  readonly podLabels: Readonly<Record<string, string>>
  /** API versions and kinds that the object and what belongs to it need: autoscaler, budgets, ingresses, and the owners of all of them. */
  readonly kinds: readonly string[]
}

export interface DisruptionBudget {
  readonly name: string
  /** matchLabels alone; one with expressions has `hasExpressions`. */
  readonly matchLabels: Readonly<Record<string, string>>
  readonly hasExpressions: boolean
  readonly disruptionsAllowed: number
}

/** As RBAC says it. */
export interface ClusterAction {
  readonly verb: string
  /** Empty: the core group. */
  readonly group: string
  /** With a subresource: `deployments/scale`. */
  readonly resource: string
  readonly namespace: string
}

export interface JobRequest {
  readonly namespace: string
  readonly cronJob: string
  /** Of the Job: the same name is the same Job. At most 63 characters, as DNS labels are. */
  readonly name: string
  /** Environment of its containers, on top of the template's. */
  readonly env: Readonly<Record<string, string>>
  readonly deadlineSeconds: number
}

export interface JobState {
  readonly outcome: 'running' | 'passed' | 'failed'
  /** One clause: what its conditions say. */
  readonly detail: string
}

export interface ClusterNote {
  /** CamelCase, e.g. `WeightRaised`. */
  readonly reason: string
  readonly message: string
  readonly type: 'Normal' | 'Warning'
}
