import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problem } from '../../core/problem.ts'
import type { ApiOptions } from '../options.ts'
import { toStatus, toWorkload, toWorkloadDetail } from '../views.ts'
import { statusSchema, workloadDetailSchema, workloadSchema } from '../wire.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

/** A workload's name in a path. */
export const nameParams = z.object({ name: z.string().min(1).max(253) })

/** The service and its workloads, as of now. */
export function workloadRoutes(app: FastifyInstance, { control }: ApiOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get(
    '/api/v1/status',
    {
      schema: {
        summary: 'The service: what it migrates, and whether it can decide',
        tags: ['state'],
        security: WITH_TOKEN,
        response: { 200: statusSchema, ...PROBLEMS },
      },
    },
    async () => toStatus(control.status()),
  )
  typed.get(
    '/api/v1/workloads',
    {
      schema: {
        summary: 'All workloads, in the order of the config',
        tags: ['state'],
        security: WITH_TOKEN,
        response: { 200: z.object({ workloads: z.array(workloadSchema) }), ...PROBLEMS },
      },
    },
    async () => ({ workloads: control.workloads().map(toWorkload) }),
  )
  typed.get(
    '/api/v1/workloads/:name',
    {
      schema: {
        summary: 'One workload, with its plan, verdicts, evidence and newest readings',
        tags: ['state'],
        security: WITH_TOKEN,
        params: nameParams,
        response: { 200: workloadDetailSchema, ...PROBLEMS },
      },
    },
    async ({ params: { name } }) => {
      const view = control.workloads().find(({ state }) => state.workload === name)
      if (!view) throw problem('API_NOT_FOUND', `there is no workload "${name}"`)
      return toWorkloadDetail(view)
    },
  )
}
