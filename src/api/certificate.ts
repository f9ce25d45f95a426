import type { X509Certificate } from 'node:crypto'
import { type Problem, problem } from '../core/problem.ts'
import type { ApiClient } from '../policy/access.ts'
import type { Identity } from './identity.ts'
import type { Shown } from './tls.ts'

/** Who shows this certificate: API_CERTIFICATE_REFUSED, or API_IDENTITY_UNAVAILABLE where it must be shown again. */
export function clientOf(shown: Shown, clients: readonly ApiClient[], nowMs: number): Identity | Problem {
  switch (shown.kind) {
    case 'outdated':
      return problem('API_IDENTITY_UNAVAILABLE', 'the authorities of clients changed after this connection was made', {
        hint: 'connect again',
      })
    case 'unverified':
      return problem('API_CERTIFICATE_REFUSED', `the certificate counts for nothing: ${shown.why}`)
    case 'verified':
      return verified(shown.certificate, clients, nowMs)
  }
}

function verified(shown: X509Certificate, clients: readonly ApiClient[], nowMs: number): Identity | Problem {
  const endsAtMs = shown.validToDate.getTime()
  // A connection may outlive what it was made with.
  if (!(nowMs < endsAtMs)) return problem('API_CERTIFICATE_REFUSED', 'the certificate has expired since it was shown')
  const names = namesOf(shown.subjectAltName ?? '')
  const subject = rfc2253(shown.subject ?? '')
  const [client, ...others] = clients.filter(({ certificate: is }) =>
    'san' in is ? names.includes(comparable(is.san)) : subject === is.subject,
  )
  if (!client) return problem('API_CERTIFICATE_REFUSED', 'no client of `api.clients` has this certificate')
  // The order of a list is not to decide what somebody may do.
  if (others.length > 0) {
    const all = [client, ...others].map(({ name }) => `"${name}"`).join(', ')
    return problem('API_CERTIFICATE_REFUSED', `several clients have this certificate: ${all}`)
  }
  const { name, role, approves, scope } = client
  const grants = [{ role, approves, scope }]
  return { name, via: 'certificate', subject: shown.fingerprint256, groups: [], endsAtMs, grants }
}

/**
 * The alternative names of a certificate, each as `KIND:name`. Node quotes a name that has a comma or a quote in it (its
 * fix for CVE-2021-44532): none such is ours, and none can pass for two.
 */
export function namesOf(text: string): readonly string[] {
  const names = text.matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)/gy)
  return [...names].map(([, kind, name]) => comparable(`${kind}:${name}`))
}

/** Names of hosts have no case. */
function comparable(name: string): string {
  return name.startsWith('DNS:') ? `DNS:${name.slice(4).toLowerCase()}` : name
}

/** Node writes a line for each part, in the order of the certificate. */
export function rfc2253(subject: string): string {
  return subject
    .split('\n')
    .toReversed()
    .map((part) => part.replaceAll(' + ', '+'))
    .join(',')
}
