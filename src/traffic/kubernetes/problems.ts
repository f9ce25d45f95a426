import type { ProblemCode } from '../../core/catalogue.ts'
import { type Problem, problem } from '../../core/problem.ts'
import type { KubernetesFailure, KubernetesTrouble } from '../../shared/kubernetes/failure.ts'
import { nameOf, type Resource } from './route.ts'

const CODES: Readonly<Record<KubernetesTrouble, ProblemCode>> = {
  'no-credentials': 'TRAFFIC_NO_CREDENTIALS',
  forbidden: 'TRAFFIC_FORBIDDEN',
  'not-found': 'TRAFFIC_NOT_FOUND',
  conflict: 'TRAFFIC_CONFLICT',
  throttled: 'TRAFFIC_THROTTLED',
  refused: 'TRAFFIC_REFUSED',
  unreachable: 'TRAFFIC_UNREACHABLE',
  timeout: 'TRAFFIC_TIMEOUT',
  'bad-answer': 'TRAFFIC_BAD_ANSWER',
}

/** What a failed call means for a target. */
export function problemOf(failure: KubernetesFailure, verb: 'get' | 'patch', resource: Resource): Problem {
  const { plural, group, namespace } = resource
  const cause = `${verb} ${nameOf(resource)}: ${failure.detail}`
  switch (failure.kind) {
    case 'forbidden':
      return problem('TRAFFIC_FORBIDDEN', cause, {
        hint: `allow the verb ${verb} on ${plural}.${group} in namespace ${namespace}; \`headgate doctor\` prints the Role`,
      })
    case 'not-found':
      return problem('TRAFFIC_NOT_FOUND', cause, {
        hint: failure.isUnknownResource
          ? `install the CRD ${plural}.${group} of version ${resource.version}, or correct the \`context\``
          : 'check the names, and the `context`',
      })
    case 'refused':
      return problem('TRAFFIC_REFUSED', cause, {
        hint: 'the words are those of the API server, or of a webhook of its',
      })
    case 'no-credentials':
    case 'conflict':
    case 'throttled':
    case 'unreachable':
    case 'timeout':
    case 'bad-answer':
      return problem(CODES[failure.kind], cause)
  }
}
