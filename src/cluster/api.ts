import { z } from 'zod'
import type { KubernetesClient, KubernetesRequest } from '../shared/kubernetes/client.ts'
import { KubernetesFailure } from '../shared/kubernetes/failure.ts'

/** So many objects a page: a namespace with thousands of them is no one answer. */
const PAGE_SIZE = 500
const MAX_PAGES = 200

const pageSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().default('') }),
  items: z
    .array(z.unknown())
    .nullish()
    .transform((items) => items ?? []),
})

/** A list as of one version of it. */
export interface Listed<T> {
  readonly items: readonly T[]
  readonly version: string
}

/** An answer in the form that is expected. Never rejects. */
export async function ask<T>(
  client: KubernetesClient,
  call: KubernetesRequest,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T | KubernetesFailure> {
  const answer = await client.ask(call, signal)
  return answer instanceof KubernetesFailure ? answer : checked(schema, answer)
}

/** All objects of a list, page by page, all of them as of the first page's version. Never rejects. */
export async function listAll<T>(
  client: KubernetesClient,
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<Listed<T> | KubernetesFailure> {
  const items: T[] = []
  let next = ''
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = { limit: String(PAGE_SIZE), ...(next !== '' && { continue: next }) }
    const answer = await ask(client, { method: 'GET', path, query }, pageSchema, signal)
    if (answer instanceof KubernetesFailure) return answer
    const found = checked(z.array(schema), answer.items)
    if (found instanceof KubernetesFailure) return found
    items.push(...found)
    next = answer.metadata.continue
    if (next === '') return { items, version: answer.metadata.resourceVersion }
  }
  return new KubernetesFailure('bad-answer', `a list of more than ${MAX_PAGES * PAGE_SIZE} objects`)
}

function checked<T>(schema: z.ZodType<T>, answer: unknown): T | KubernetesFailure {
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  return new KubernetesFailure('bad-answer', `the answer is of another form: ${issue?.path.join('.')}`)
}

/** A list that may be left out, or null, where it is empty. */
export function listOf<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((items) => items ?? [])
}

/** Names and values, as of labels; left out where there are none. */
export function words() {
  return z
    .record(z.string(), z.string())
    .nullish()
    .transform((map) => map ?? {})
}
