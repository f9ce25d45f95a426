import type { FastifyRequest } from 'fastify'
import { type Problem, problem } from '../core/problem.ts'
import { isSameText } from './same-text.ts'
import type { Api, OpenSession } from './session.ts'

type Asked = Pick<FastifyRequest, 'headers'>

/**
 * Why a change that came by a cookie is refused: API_CSRF_REFUSED; null: Headgate's own page sent it. A browser sends
 * cookies by itself, so it must show the session's own token, and that it comes from our origin.
 */
export function csrfRefusal(
  request: Asked,
  { csrfToken }: Pick<OpenSession, 'csrfToken'>,
  api: Pick<Api, 'publicUrl' | 'sessions'>,
): Problem | null {
  const { origin: named, 'sec-fetch-site': site } = request.headers
  if (named === undefined && site === undefined)
    return problem('API_CSRF_REFUSED', 'the request does not tell its origin')
  const origin = originFault(request, api)
  if (origin !== null) return problem('API_CSRF_REFUSED', origin)
  const shown = request.headers['x-csrf-token']
  if (typeof shown !== 'string') return problem('API_CSRF_REFUSED', 'the request has no X-CSRF-Token')
  if (!isSameText(shown, csrfToken)) return problem('API_CSRF_REFUSED', 'X-CSRF-Token is not of this session')
  return null
}

/**
 * Why a change that came by a certificate alone is refused: API_CSRF_REFUSED; null: it is none that a strange page made a
 * browser send. A browser shows certificates by itself, as it sends cookies, and says with each change where it comes
 * from; programs say nothing, and need not.
 */
export function strangePageRefusal(request: Asked, api: Pick<Api, 'publicUrl' | 'sessions'>): Problem | null {
  const origin = originFault(request, api)
  return origin === null ? null : problem('API_CSRF_REFUSED', origin)
}

/** What browsers say of where a request comes from; no page can write these headers. null: from our own origin. */
function originFault({ headers }: Asked, { publicUrl, sessions }: Pick<Api, 'publicUrl' | 'sessions'>): string | null {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return 'the request comes from another site'
  if (origin === undefined) return null
  const here = `${sessions.isSecure ? 'https' : 'http'}://${host}`.toLowerCase()
  const named = publicUrl()
  const own = named === null ? [here] : [here, new URL(named).origin]
  return own.includes(origin) ? null : 'the request comes from another origin'
}
