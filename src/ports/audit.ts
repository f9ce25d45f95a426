import type { ProblemCode } from '../core/problem.ts'

/** Who asked for what, from where, and what came of it. It never has a header or a body. */
export interface AuditEntry {
  readonly atMs: number
  readonly requestId: string
  /** null: nobody was recognised. */
  readonly actor: string | null
  readonly via: 'token' | 'oidc' | 'certificate' | null
  /** The identity provider's own name of the person, or a certificate's SHA-256 fingerprint; null: a token, or nobody. */
  readonly subject: string | null
  /** Which session, where a page asked by its cookie; it opens nothing. null: a bearer token, or nobody. */
  readonly session: string | null
  readonly address: string
  readonly method: string
  /** Without its query; at most 200 characters. */
  readonly path: string
  readonly status: number
  /** Why it was refused; null: it was not. */
  readonly code: ProblemCode | null
  /** What a command said; null: it was none, or was refused before it was read. */
  readonly command: AuditedCommand | null
}

export interface AuditedCommand {
  readonly command: string
  readonly workloads: readonly string[]
  readonly reason: string
  readonly force: boolean
  readonly factIds: readonly string[]
}

/** Keeps a line for each. Never throws: a full disk must not keep anybody from a revert. */
export type Audit = (entry: AuditEntry) => void
