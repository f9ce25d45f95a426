import { problem } from '../core/problem.ts'
import type { Grant, Role, Scope } from '../policy/access.ts'

/** Who asks, and what they may do where. */
export interface Identity {
  /** The actor in the journal. */
  readonly name: string
  readonly via: 'token' | 'oidc' | 'certificate'
  /** What the identity provider calls the person for good, or a certificate's SHA-256 fingerprint; null: a token. */
  readonly subject: string | null
  /** What the provider says of the person: those groups that the config names. Empty: a token, or a certificate. */
  readonly groups: readonly string[]
  /** When what they showed expires; null: a token of the config, which does not. */
  readonly endsAtMs: number | null
  readonly grants: readonly Grant[]
}

/** Who may ask: anybody, or whoever has a grant of that role or of a greater one. */
export type Access = 'open' | Role

/** A workload as scopes know it; null: unknown. */
export interface Place {
  readonly workload: string
  readonly migration: string | null
  readonly team: string | null
}

/** Roles that may do what each of them may. `webhook` stands beside the others. */
const ENOUGH: Readonly<Record<Role, readonly Role[]>> = {
  viewer: ['viewer', 'approver', 'operator', 'admin'],
  approver: ['approver', 'operator', 'admin'],
  operator: ['operator', 'admin'],
  admin: ['admin'],
  webhook: ['webhook', 'operator', 'admin'],
}

/** What is about the service as a whole, and not narrowed to anything. */
const OF_THE_SERVICE: readonly Role[] = ['admin', 'webhook']

/** Whether somebody may do such a thing at all; where, the route says. */
export function mayAsk({ grants }: Identity, role: Role): boolean {
  return grants.some(
    (grant) => ENOUGH[role].includes(grant.role) && (!OF_THE_SERVICE.includes(role) || isEverything(grant.scope)),
  )
}

/** Whether somebody may do such a thing to this workload. Nobody in particular asks where there are no tokens: they may read. */
export function mayAt(identity: Identity | null, role: Role, place: Place): boolean {
  if (identity === null) return role === 'viewer'
  return identity.grants.some((grant) => ENOUGH[role].includes(grant.role) && covers(grant.scope, place))
}

/** Whether somebody may do such a thing to all of a migration, those workloads too that are not there yet. */
export function mayInAll(identity: Identity | null, role: Role, migration: string): boolean {
  if (identity === null) return role === 'viewer'
  return identity.grants.some(
    ({ role: own, scope }) =>
      ENOUGH[role].includes(own) &&
      scope.teams === null &&
      scope.workloads === null &&
      (scope.migrations === null || scope.migrations.includes(migration)),
  )
}

/** Whether somebody sees what is about no workload in particular. */
export function seesService(identity: Identity | null): boolean {
  return identity === null || identity.grants.some(({ role, scope }) => role !== 'webhook' && isEverything(scope))
}

/** The approval roles that somebody has at this workload. */
export function approvesAt({ grants }: Identity, place: Place): readonly string[] {
  const own = grants.filter(({ role, scope }) => ENOUGH.approver.includes(role) && covers(scope, place))
  return [...new Set(own.flatMap(({ approves }) => approves))]
}

/** Throws API_FORBIDDEN unless somebody may do such a thing to this workload. */
export function demand(identity: Identity | null, role: Role, place: Place): void {
  if (mayAt(identity, role, place)) return
  throw problem('API_FORBIDDEN', `${nameOf(identity)} may not ${WORDS[role]} the workload "${place.workload}"`)
}

export function nameOf(identity: Identity | null): string {
  return identity === null ? 'nobody in particular' : `"${identity.name}"`
}

const WORDS: Readonly<Record<Role, string>> = {
  viewer: 'see',
  approver: 'approve steps of',
  operator: 'command',
  admin: 'administer',
  webhook: 'deliver alerts for',
}

function isEverything({ migrations, teams, workloads }: Scope): boolean {
  return migrations === null && teams === null && workloads === null
}

function covers({ migrations, teams, workloads }: Scope, { migration, team, workload }: Place): boolean {
  const fits = (allowed: readonly string[] | null, value: string | null) =>
    allowed === null || (value !== null && allowed.includes(value))
  return fits(migrations, migration) && fits(teams, team) && fits(workloads, workload)
}
