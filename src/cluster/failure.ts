import { type Missing, missing } from '../core/observation.ts'
import type { KubernetesFailure, KubernetesTrouble } from '../shared/kubernetes/failure.ts'

const WHYS: Readonly<Record<KubernetesTrouble, Missing['why']>> = {
  'no-credentials': 'refused',
  forbidden: 'refused',
  'not-found': 'refused',
  conflict: 'refused',
  // It passes, as with a server that is away.
  throttled: 'unreachable',
  refused: 'refused',
  unreachable: 'unreachable',
  timeout: 'timeout',
  'bad-answer': 'bad-answer',
}

/** What a failed call means: `what` is what was asked, e.g. `list ingresses in shop`. */
export function missingFor(what: string, { kind, detail }: KubernetesFailure): Missing {
  return missing(WHYS[kind], `${what}: ${detail}`)
}
