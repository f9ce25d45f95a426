import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problem } from '../../core/problem.ts'
import { demand } from '../identity.ts'
import type { ApiOptions } from '../options.ts'
import { placesOf, sightOf } from '../places.ts'
import { toStatus, toWorkload, toWorkloadDetail } from '../views.ts'
import { statusSchema, workloadDetailSchema, workloadSchema } from '../wire.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

/** A workload's name in a path. */
export const nameParams = z.object({ name: z.string().min(1).max(253) })

/** The service and its workloads, as of now. */
export function workloadRoutes(app: FastifyInstance, options: ApiOptions): void {
  const { control } = options
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
    async ({ identity }) => {
      const { sees, seesAll } = sightOf(identity, options)
      const status = control.status()
      const others = new Set(
        // Most see all: then nobody goes through ten thousand workloads for it.
        status.migrations.every(({ migration }) => seesAll(migration))
          ? []
          : control.workloads().flatMap(({ plan }) => (sees(plan.workload) ? [plan.migration] : [])),
      )
      const migrations = status.migrations.filter(({ migration }) => seesAll(migration) || others.has(migration))
      return toStatus({ ...status, migrations })
    },
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
    async ({ identity }) => {
      const { sees } = sightOf(identity, options)
      const seen = control.workloads().filter(({ plan }) => sees(plan.workload))
      return { workloads: seen.map(toWorkload) }
    },
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
    async ({ params: { name }, identity }) => {
      demand(identity, 'viewer', placesOf(options)(name))
      const view = control.workloads().find(({ plan }) => plan.workload === name)
      if (!view) throw problem('API_NOT_FOUND', `there is no workload "${name}"`)
      return toWorkloadDetail(view)
    },
  )
}
