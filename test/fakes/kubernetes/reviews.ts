import { isMap, type Json } from './json-patch.ts'
import { badRequest } from './status.ts'

/** Whether a user may not do this: by verb, or by verb and resource. */
export function isForbidden(
  forbidden: ReadonlySet<string>,
  verb: string,
  resource: string,
  subresource: string,
): boolean {
  const whole = subresource === '' ? resource : `${resource}/${subresource}`
  return forbidden.has(verb) || forbidden.has(`${verb} ${whole}`)
}

/** The answer to a SelfSubjectAccessReview. */
export function reviewOf(review: Json, forbidden: ReadonlySet<string>): Json {
  const spec = isMap(review) ? review.spec : undefined
  const asked = isMap(spec) ? spec.resourceAttributes : undefined
  if (!isMap(review) || !isMap(spec) || !isMap(asked)) throw badRequest('spec.resourceAttributes is required')
  const word = (key: string) => String(asked[key] ?? '')
  if (word('resource').includes('/')) throw badRequest('a resource is named without its subresource')
  const isAllowed = !isForbidden(forbidden, word('verb'), word('resource'), word('subresource'))
  return { ...review, status: { allowed: isAllowed } }
}
