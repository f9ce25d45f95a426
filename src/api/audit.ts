import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ProblemCode } from '../core/problem.ts'
import type { AuditedCommand } from '../ports/audit.ts'
import type { ApiOptions } from './options.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Why it was refused, for the audit. */
    refusedWith: ProblemCode | null
    auditedCommand: AuditedCommand | null
  }
}

const READS: readonly string[] = ['GET', 'HEAD', 'OPTIONS']
const REFUSED: readonly number[] = [401, 403, 429]

export function isChange({ method }: FastifyRequest): boolean {
  return !READS.includes(method)
}

/** Tells of each request that changes something, or would, and of each that its sender may not make. */
export function auditRequests(app: FastifyInstance, { audit, clock }: Pick<ApiOptions, 'audit' | 'clock'>): void {
  app.decorateRequest('refusedWith', null)
  app.decorateRequest('auditedCommand', null)
  app.addHook('onResponse', async (request, { statusCode }) => {
    if (!isChange(request) && !REFUSED.includes(statusCode)) return
    const { identity, openSession, id, ip, method, refusedWith, auditedCommand } = request
    audit({
      atMs: clock.nowMs(),
      requestId: id,
      actor: identity?.name ?? null,
      via: identity?.via ?? null,
      subject: identity?.subject ?? null,
      session: openSession?.id ?? null,
      address: ip,
      method,
      path: pathOf(request),
      status: statusCode,
      code: refusedWith,
      command: auditedCommand,
    })
  })
}

/** The path without its query, which may hold what somebody took for a place of a token. */
export function pathOf({ url }: Pick<FastifyRequest, 'url'>): string {
  return url.split('?', 1)[0]?.slice(0, 200) ?? ''
}
