import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { decideDecommission } from '../../core/decommission.ts'
import { problem } from '../../core/problem.ts'
import type { WorkloadView } from '../../ports/control.ts'
import type { Residual } from '../../ports/residual.ts'
import { demand } from '../identity.ts'
import type { ApiOptions } from '../options.ts'
import { placesOf, sightOf } from '../places.ts'
import { type DecommissionJson, decommissionSchema } from '../wire-decommission.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

/** Longer than that nobody waits for the answer, ms. */
const ANSWER_TIMEOUT_MS = 8_000

/** Whether OLD may go. */
export function decommissionRoutes(app: FastifyInstance, options: ApiOptions): void {
  const { control, residuals, clock } = options
  app.withTypeProvider<ZodTypeProvider>().get(
    '/api/v1/decommission',
    {
      schema: {
        summary: 'Whether OLD may go, with what shows it and who still comes',
        description:
          'For one workload, or for all: the whole may go when each of them may. What came to OLD is asked of the metric ' +
          'sources now, over the drain time of each plan.',
        tags: ['state'],
        security: WITH_TOKEN,
        querystring: z.object({ workload: z.string().min(1).max(253).optional() }),
        response: { 200: decommissionSchema, ...PROBLEMS },
      },
    },
    async ({ query: { workload }, identity }) => {
      if (workload !== undefined) demand(identity, 'viewer', placesOf(options)(workload))
      const { sees } = sightOf(identity, options)
      const views = control
        .workloads()
        .filter(({ plan }) => (workload === undefined ? sees(plan.workload) : plan.workload === workload))
      if (workload !== undefined && views.length === 0)
        throw problem('API_NOT_FOUND', `there is no workload "${workload}"`)
      const plans = views.map(({ plan }) => plan)
      const found = await residuals.of(plans, AbortSignal.timeout(ANSWER_TIMEOUT_MS))
      const workloads = views.map((view) => viewOf(view, found.get(view.state.workload)))
      return { mayGo: workloads.every(({ mayGo }) => mayGo), atMs: clock.nowMs(), workloads }
    },
  )
}

function viewOf({ state, plan, observation }: WorkloadView, residual: Residual | undefined) {
  if (!residual) throw new Error(`nobody looked at ${state.workload}`)
  const oldReplicas = observation.replicas?.old ?? null
  const { mayGo, reasons } = decideDecommission({ state, plan, residual, oldReplicas })
  return {
    workload: state.workload,
    migration: plan.migration,
    phase: state.phase.name,
    mayGo,
    reasons: [...reasons],
    quietSeconds: (state.drain?.quietMs ?? 0) / 1000,
    lastRequestAtMs: state.drain?.lastRequestAtMs ?? null,
    residual,
  } satisfies DecommissionJson['workloads'][number]
}
