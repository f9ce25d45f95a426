import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { CommandName } from '../../core/observation.ts'
import { problem } from '../../core/problem.ts'
import { hasHold, type PhaseName, type RolloutState } from '../../core/state.ts'
import { approvesAt, demand, mayAt } from '../identity.ts'
import { demandLoaded, SEND_AGAIN } from '../loaded.ts'
import type { ApiOptions } from '../options.ts'
import { placesOf } from '../places.ts'
import { selectWorkloads } from '../selection.ts'
import { commandSchema, commandToAllSchema, submittedSchema, submittedToAllSchema } from '../wire.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'
import { nameParams } from './workloads.ts'

const commandHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,128}$/, 'must be 1 to 128 of A-Z a-z 0-9 . _ : -')
    .optional()
    .meta({ description: 'Names the command: one that was sent before is not added again' }),
})

/** What people may say to many workloads at once: durable for all of them, or for none. */
export function commandToAllRoutes(app: FastifyInstance, options: ApiOptions): void {
  const { control, log } = options
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/commands',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Command all workloads that the command fits, or those of a wave or a migration',
        description:
          '202 once all commands are durable; the journal tells what came of each. A `revert` goes to every workload that has traffic on NEW.',
        tags: ['commands'],
        security: WITH_TOKEN,
        body: commandToAllSchema,
        response: { 202: submittedToAllSchema, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { body, identity, id } = request
      if (!identity) throw problem('API_UNAUTHENTICATED', 'a command needs an actor')
      demandLoaded(control, SEND_AGAIN)
      const { command, reason, wave, migration } = body
      const placeOf = placesOf(options)
      const fitting = selectWorkloads(control, { wave, migration })
        .filter(({ state }) => isFor(command, state))
        .map(({ state }) => placeOf(state.workload))
      const own = fitting.filter((place) => mayAt(identity, 'operator', place))
      const isNamed = wave !== undefined || migration !== undefined
      // Half of what was named is not what was meant; without a name all is what the token covers.
      const beyond = isNamed || own.length === 0 ? fitting.find((place) => !own.includes(place)) : undefined
      if (beyond) demand(identity, 'operator', beyond)
      const names = own.map(({ workload }) => workload)
      const roles = [...new Set(own.flatMap((place) => approvesAt(identity, place)))]
      if (names.length === 0) throw problem('COMMAND_NOTHING_TO_DO', `no workload is in a phase for ${command}`)
      const submitted = await control.submitAll({ command, reason, actor: identity.name, force: false, roles }, names)
      const factIds = submitted.map(({ factId }) => factId)
      request.auditedCommand = { command, reason, force: false, workloads: names, factIds }
      log.info({ requestId: id, command, wave, migration, actor: identity.name, workloads: names }, 'commands taken')
      const commands = names.map((workload, index) => ({ workload, factId: submitted[index]?.factId ?? '' }))
      return reply.code(202).send({ commands })
    },
  )
}

const WITHOUT_TRAFFIC: readonly PhaseName[] = [
  'waiting',
  'preflight',
  'preparing',
  'reverting',
  'reverted',
  'cancelled',
]
const ENDED: readonly PhaseName[] = ['completed', 'reverting', 'reverted', 'cancelled']

function isFor(command: CommandName, state: RolloutState): boolean {
  const phase = state.phase.name
  const isUnknown = hasHold(state, 'unknown-weight')
  if (command === 'adopt') return isUnknown
  // It has traffic on NEW, although it has not begun.
  if (command === 'revert' && isUnknown) return true
  // What has ended can be closed, and nothing else.
  if (command === 'close') return phase !== 'reverting' && ENDED.includes(phase)
  return !(command === 'revert' ? WITHOUT_TRAFFIC : ENDED).includes(phase)
}

/** What people may say to a workload. */
export function commandRoutes(app: FastifyInstance, options: ApiOptions): void {
  const { control, log } = options
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/workloads/:name/commands',
    {
      // An approval is an approver's too; the rest is an operator's.
      config: { access: 'approver' },
      schema: {
        summary: 'Command a workload; the journal tells what came of it',
        description:
          '202 once the command is durable. A `command-done` or `command-refused` row with this factId follows.',
        tags: ['commands'],
        security: WITH_TOKEN,
        params: nameParams,
        headers: commandHeaders,
        body: commandSchema,
        response: { 202: submittedSchema, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { params, headers, body, identity, id } = request
      const { name } = params
      if (!identity) throw problem('API_UNAUTHENTICATED', 'a command needs an actor')
      demandLoaded(control, SEND_AGAIN)
      const place = placesOf(options)(name)
      demand(identity, body.command === 'approve' ? 'approver' : 'operator', place)
      const submitted = await control.submit({
        workload: name,
        command: body.command,
        reason: body.reason,
        actor: identity.name,
        force: body.force,
        roles: approvesAt(identity, place),
        factId: headers['idempotency-key'] ?? null,
      })
      const { command, reason, force } = body
      request.auditedCommand = { command, reason, force, workloads: [name], factIds: [submitted.factId] }
      log.info(
        { requestId: id, workload: name, command: body.command, actor: identity.name, ...submitted },
        'command taken',
      )
      return reply.code(202).send(submitted)
    },
  )
}
