import { isMap, type Json } from './json-patch.ts'
import { type ApiError, badRequest } from './status.ts'
import type { ApiObject, ResourceType } from './store.ts'

const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const MAX_NOTE_BYTES = 1024

/** What every cluster has, as far as Headgate asks for it. */
export const BUILTINS: readonly ResourceType[] = [
  { ...builtin('apps', 'Deployment', 'deployments'), hasGeneration: true, hasStatus: true, validate: podsFit },
  { ...builtin('apps', 'StatefulSet', 'statefulsets'), hasGeneration: true, hasStatus: true, validate: podsFit },
  { ...builtin('batch', 'CronJob', 'cronjobs'), hasGeneration: true },
  { ...builtin('batch', 'Job', 'jobs'), hasGeneration: true, hasStatus: true, validate: jobFits },
  builtin('', 'Service', 'services'),
  builtin('', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  { ...builtin('autoscaling', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'), hasStatus: true },
  { ...builtin('policy', 'PodDisruptionBudget', 'poddisruptionbudgets'), hasStatus: true },
  { ...builtin('networking.k8s.io', 'Ingress', 'ingresses'), hasGeneration: true },
  { ...builtin('events.k8s.io', 'Event', 'events'), validate: eventFits },
]

function builtin(group: string, kind: string, plural: string): ResourceType {
  return { group, version: 'v1', kind, plural, isCustom: false, hasStatus: false }
}

function podsFit({ spec }: ApiObject): readonly [string, string] | null {
  if (!isMap(spec)) return ['spec', 'Required value']
  if (!isMap(spec.selector)) return ['spec.selector', 'Required value']
  return templateFits(spec.template)
}

function jobFits({ spec }: ApiObject): readonly [string, string] | null {
  if (!isMap(spec)) return ['spec', 'Required value']
  const policy = isMap(spec.template) && isMap(spec.template.spec) ? spec.template.spec.restartPolicy : undefined
  if (policy !== 'Never' && policy !== 'OnFailure')
    return ['spec.template.spec.restartPolicy', 'Required value: valid values: "OnFailure", "Never"']
  return templateFits(spec.template)
}

function templateFits(template: Json | undefined): readonly [string, string] | null {
  const pod = isMap(template) && isMap(template.spec) ? template.spec : {}
  return Array.isArray(pod.containers) && pod.containers.length > 0
    ? null
    : ['spec.template.spec.containers', 'Required value']
}

/** As events.k8s.io/v1 wants them. */
function eventFits(event: ApiObject): readonly [string, string] | ApiError | null {
  const { eventTime, series, regarding, metadata } = event
  const times = [eventTime, ...(isMap(series) ? [series.lastObservedTime] : [])]
  if (times.some((time) => typeof time !== 'string' || !MICRO_TIME.test(time)))
    return badRequest('Event in version "v1" cannot be handled as a Event: parsing time: not a MicroTime')
  for (const key of ['reportingController', 'reportingInstance', 'action', 'reason'])
    if (typeof event[key] !== 'string' || event[key] === '' || event[key].length > 128) return [key, 'Required value']
  if (event.type !== 'Normal' && event.type !== 'Warning') return ['type', 'Invalid value']
  if (Buffer.byteLength(String(event.note ?? '')) > MAX_NOTE_BYTES) return ['note', 'can have at most 1024 bytes']
  if (!isMap(regarding) || regarding.namespace !== metadata.namespace) return ['regarding.namespace', 'does not match']
  if (isMap(series) && !(Number(series.count) >= 2)) return ['series.count', 'should be at least 2']
  return null
}
