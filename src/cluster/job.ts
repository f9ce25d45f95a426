import { z } from 'zod'
import type { Missing } from '../core/observation.ts'
import type { Json } from '../core/plan.ts'
import type { JobRequest, JobState } from '../ports/cluster.ts'
import type { KubernetesClient } from '../shared/kubernetes/client.ts'
import { KubernetesFailure } from '../shared/kubernetes/failure.ts'
import { ask, listOf, words } from './api.ts'
import { missingFor } from './failure.ts'
import { pathOf } from './paths.ts'

/** A finished Job stays so long, for whoever wants its log. */
const KEEP_SECONDS = 86_400

const json: z.ZodType<Json> = z.json()

const environment = listOf(z.object({ name: z.string() }).catchall(json))
const container = z.object({ name: z.string(), env: environment }).catchall(json)

const cronJobSchema = z.object({
  spec: z.object({
    jobTemplate: z.object({
      metadata: z.object({ labels: words(), annotations: words() }).default({ labels: {}, annotations: {} }),
      spec: z
        .object({
          template: z
            .object({
              spec: z.object({ containers: z.array(container), initContainers: listOf(container) }).catchall(json),
            })
            .catchall(json),
        })
        .catchall(json),
    }),
  }),
})

type CronJob = z.output<typeof cronJobSchema>

const count = z.int().min(0).default(0)

const jobSchema = z.object({
  status: z
    .object({
      active: count,
      failed: count,
      conditions: listOf(
        z.object({
          type: z.string(),
          status: z.string(),
          reason: z.string().default(''),
          message: z.string().default(''),
        }),
      ),
    })
    .default({ active: 0, failed: 0, conditions: [] }),
})

/** Makes the Job unless it is there, and tells how it is. */
export async function runJob(
  client: KubernetesClient,
  request: JobRequest,
  signal: AbortSignal,
): Promise<JobState | Missing> {
  const { namespace, name, cronJob } = request
  const jobs = pathOf('batch/v1', namespace, 'jobs')
  const get = () => ask(client, { method: 'GET', path: `${jobs}/${encodeURIComponent(name)}` }, jobSchema, signal)
  const found = await get()
  if (!(found instanceof KubernetesFailure)) return stateOf(found)
  if (found.kind !== 'not-found' || found.isUnknownResource) return missingFor(`get Job ${namespace}/${name}`, found)

  const path = pathOf('batch/v1', namespace, 'cronjobs', cronJob)
  const template = await ask(client, { method: 'GET', path }, cronJobSchema, signal)
  if (template instanceof KubernetesFailure) return missingFor(`get CronJob ${namespace}/${cronJob}`, template)
  const body = { type: 'application/json', value: jobOf(template, request) }
  const query = { fieldManager: 'headgate' }
  const made = await ask(client, { method: 'POST', path: jobs, query, body }, jobSchema, signal)
  if (!(made instanceof KubernetesFailure)) return stateOf(made)
  // Another call made it at the same moment: it is the same Job.
  const twin = made.status === 409 ? await get() : made
  return twin instanceof KubernetesFailure ? missingFor(`create Job ${namespace}/${name}`, twin) : stateOf(twin)
}

/**
 * A Job as `kubectl create job --from` makes it, but for its owner: the CronJob would count it in its history, and may
 * remove it before anybody has seen how it ended.
 */
function jobOf({ spec: { jobTemplate } }: CronJob, { namespace, name, env, deadlineSeconds }: JobRequest): object {
  const { labels, annotations } = jobTemplate.metadata
  const { template, ...spec } = jobTemplate.spec
  const { containers, initContainers, ...pod } = template.spec
  const withEnv = (one: CronJob['spec']['jobTemplate']['spec']['template']['spec']['containers'][number]) => ({
    ...one,
    env: [
      ...one.env.filter((variable) => !Object.hasOwn(env, variable.name)),
      ...Object.entries(env).map(([key, value]) => ({ name: key, value })),
    ],
  })
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace,
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'headgate' },
      annotations: { ...annotations, 'cronjob.kubernetes.io/instantiate': 'manual' },
    },
    spec: {
      ...spec,
      suspend: false,
      activeDeadlineSeconds: deadlineSeconds,
      ttlSecondsAfterFinished: KEEP_SECONDS,
      template: {
        ...template,
        spec: {
          ...pod,
          containers: containers.map(withEnv),
          ...(initContainers.length > 0 && { initContainers: initContainers.map(withEnv) }),
        },
      },
    },
  }
}

function stateOf({ status: { active, failed, conditions } }: z.output<typeof jobSchema>): JobState {
  const ended = conditions.find(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'))
  if (ended === undefined) return { outcome: 'running', detail: `${active} pods run, ${failed} have failed` }
  const words = [ended.reason, ended.message].filter((text) => text !== '').join(': ')
  return ended.type === 'Complete'
    ? { outcome: 'passed', detail: words || 'the Job is complete' }
    : { outcome: 'failed', detail: words || 'the Job has failed' }
}
