import { z } from 'zod'
import { parseJson } from '../json.ts'

/** What went wrong with a call to a Kubernetes API server. */
export type KubernetesTrouble =
  /** No kubeconfig, an unusable one, or credentials that the server does not take. */
  | 'no-credentials'
  | 'forbidden'
  | 'not-found'
  /** Somebody else changed the object since it was read. */
  | 'conflict'
  | 'throttled'
  /** The server, or an admission webhook, does not want it so. */
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'bad-answer'

/** Why a call to a Kubernetes API server failed. */
export class KubernetesFailure {
  readonly kind: KubernetesTrouble
  /** One clause for people, without secrets. */
  readonly detail: string
  /** True when the server does not know the resource at all, e.g. for want of a CRD. */
  readonly isUnknownResource: boolean
  /** The HTTP status that the server answered with; null: there was no answer. */
  readonly status: number | null

  constructor(kind: KubernetesTrouble, detail: string, isUnknownResource = false, status: number | null = null) {
    this.kind = kind
    this.detail = detail
    this.isUnknownResource = isUnknownResource
    this.status = status
  }
}

/** Longest part of the server's own words that is told. */
const MAX_WORDS = 300

const statusSchema = z.object({
  kind: z.literal('Status'),
  message: z.string().default(''),
  details: z.object({ name: z.string().optional(), causes: z.array(z.unknown()).default([]) }).optional(),
})

/** What an answer other than 2xx means, in the server's own words where it has some, save the secrets. */
export function refusalOf(status: number, text: string, secrets: readonly string[]): KubernetesFailure {
  const said = statusSchema.safeParse(parseJson(text)).data
  const words = said && secrets.reduce((left, secret) => left.replaceAll(secret, '***'), said.message)
  const detail = `the API server answered ${status}${words ? `: ${words.slice(0, MAX_WORDS)}` : ''}`
  const failed = (kind: KubernetesTrouble, isUnknownResource = false) =>
    new KubernetesFailure(kind, detail, isUnknownResource, status)
  if (status === 404) return failed('not-found', said?.details?.name === undefined)
  // A JSON patch whose `test` fails is answered as invalid, but names no field: that is how the two are told apart.
  if (status === 422 && said && (said.details?.causes ?? []).length === 0) return failed('conflict')
  return failed(BY_STATUS[status] ?? (status >= 400 ? 'refused' : 'bad-answer'))
}

const BY_STATUS: Readonly<Record<number, KubernetesTrouble>> = {
  401: 'no-credentials',
  403: 'forbidden',
  409: 'conflict',
  429: 'throttled',
  502: 'unreachable',
  503: 'unreachable',
  504: 'unreachable',
}

/** What it means that there was no answer. */
export function connectionFailure(error: unknown, signal: AbortSignal): KubernetesFailure {
  if (signal.aborted) return new KubernetesFailure('timeout', 'the API server did not answer within the deadline')
  if (error instanceof Error && error.name === 'HTTPParserError')
    return new KubernetesFailure('bad-answer', 'what answers does not speak HTTP')
  const code = codeOf(error)
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return new KubernetesFailure('bad-answer', 'an answer without end')
  return new KubernetesFailure('unreachable', `the API server cannot be reached: ${code}`)
}

/** What may be told of an error: its code, or its name. A message may repeat what was sent or read. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
