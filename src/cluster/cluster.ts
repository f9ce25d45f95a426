import { z } from 'zod'
import { isMissing, type Missing, missing } from '../core/observation.ts'
import type { ObjectRef } from '../core/plan.ts'
import type {
  Cluster,
  ClusterAction,
  ClusterNote,
  ClusterWorkload,
  DisruptionBudget,
  JobRequest,
  JobState,
} from '../ports/cluster.ts'
import type { Clock } from '../ports/runtime.ts'
import { mapBounded } from '../shared/bounded.ts'
import { type KubernetesClient, MERGE_PATCH } from '../shared/kubernetes/client.ts'
import { kubernetesClients } from '../shared/kubernetes/clients.ts'
import type { KubernetesPlace } from '../shared/kubernetes/config.ts'
import { KubernetesFailure } from '../shared/kubernetes/failure.ts'
import { ask } from './api.ts'
import { servedKinds } from './discovery.ts'
import { missingFor } from './failure.ts'
import { runJob } from './job.ts'
import { nameOf, objectPath } from './paths.ts'
import { Recent } from './recent.ts'
import { tell } from './tell.ts'
import { budgetSchema, WorkloadReader } from './workload.ts'

const REVIEWS_AT_ONCE = 8
/** A `Date` header has whole seconds: half of one is added on the average. */
const HALF_A_SECOND_MS = 500

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
const reviewSchema = z.object({ status: z.object({ allowed: z.boolean() }) })

/** One cluster's API server. It shares its connections with all others who talk to that server. */
export function createCluster(place: KubernetesPlace, { clock }: { readonly clock: Clock }): Cluster {
  const lease = kubernetesClients.lease(place)
  return new ApiCluster(lease.client, clock, () => lease.close())
}

class ApiCluster implements Cluster {
  readonly #client: KubernetesClient
  readonly #clock: Clock
  readonly #reader: WorkloadReader
  readonly close: () => Promise<void>

  constructor(client: KubernetesClient, clock: Clock, close: () => Promise<void>) {
    this.#client = client
    this.#clock = clock
    this.#reader = new WorkloadReader(client, new Recent(clock))
    this.close = close
  }

  workload(ref: ObjectRef, signal: AbortSignal): Promise<ClusterWorkload | Missing | null> {
    return this.#reader.read(ref, signal)
  }

  servedKinds(signal: AbortSignal): Promise<ReadonlySet<string> | Missing> {
    return servedKinds(this.#client, signal)
  }

  async disruptionBudgets(namespace: string, signal: AbortSignal): Promise<readonly DisruptionBudget[] | Missing> {
    const budgets = await this.#reader.list('policy/v1', namespace, 'poddisruptionbudgets', budgetSchema, signal)
    if (isMissing(budgets)) return budgets
    return budgets.flatMap(({ metadata: { name }, spec: { selector }, status: { disruptionsAllowed } }) => {
      if (!selector) return []
      const { matchLabels, matchExpressions } = selector
      return [{ name, matchLabels, hasExpressions: matchExpressions.length > 0, disruptionsAllowed }]
    })
  }

  mayDo(actions: readonly ClusterAction[], signal: AbortSignal): Promise<readonly (boolean | Missing)[]> {
    return mapBounded(actions, REVIEWS_AT_ONCE, async (action) => {
      const body = { type: 'application/json', value: reviewOf(action) }
      const answer = await ask(this.#client, { method: 'POST', path: REVIEWS, body }, reviewSchema, signal)
      return answer instanceof KubernetesFailure ? missingFor('ask for permissions', answer) : answer.status.allowed
    })
  }

  async clockAheadMs(signal: AbortSignal): Promise<number | Missing> {
    const askedAtMs = this.#clock.nowMs()
    const date = await this.#client.date(signal)
    if (date instanceof KubernetesFailure) return missingFor('get /version', date)
    const theirsMs = Date.parse(date)
    if (Number.isNaN(theirsMs)) return missing('bad-answer', `get /version: "${date.slice(0, 40)}" is no date`)
    const oursMs = (askedAtMs + this.#clock.nowMs()) / 2
    return theirsMs + HALF_A_SECOND_MS - oursMs
  }

  async scale(ref: ObjectRef, replicas: number, signal: AbortSignal): Promise<Missing | null> {
    const answer = await this.#client.ask(
      {
        method: 'PATCH',
        path: `${objectPath(ref)}/scale`,
        query: { fieldManager: 'headgate' },
        body: { type: MERGE_PATCH, value: { spec: { replicas } } },
      },
      signal,
    )
    return answer instanceof KubernetesFailure ? missingFor(`scale ${nameOf(ref)} to ${replicas}`, answer) : null
  }

  job(request: JobRequest, signal: AbortSignal): Promise<JobState | Missing> {
    return runJob(this.#client, request, signal)
  }

  tell(ref: ObjectRef, note: ClusterNote, signal: AbortSignal): Promise<Missing | null> {
    return tell(this.#client, this.#clock, { ref, note }, signal)
  }
}

function reviewOf({ verb, group, resource: written, namespace }: ClusterAction): object {
  const [resource, subresource = ''] = written.split('/')
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb, group, resource, subresource, namespace } },
  }
}
