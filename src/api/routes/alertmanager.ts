import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { RoutedAlert, UnmatchedAlert } from '../../core/observation.ts'
import { problem } from '../../core/problem.ts'
import {
  type BadAlert,
  isBad,
  keptLabels,
  leftOutOf,
  notificationSchema,
  type ReadAlert,
  readAlert,
} from '../alert-payload.ts'
import { type RoutedWorld, routeAlert, routedWorld } from '../alert-routing.ts'
import { demandLoaded } from '../loaded.ts'
import { ALERTS_LIMIT_BYTES, type ApiOptions } from '../options.ts'
import { PROBLEMS, WITH_TOKEN } from './schema.ts'

/**
 * Alerts of one notification that a workload is told of, of each action and status. A hold follows fewer: with all of a
 * storm, a route to everything would be facts without bounds.
 */
const MOST_PER_WORKLOAD = 50

const takenSchema = z
  .object({
    /** Facts that are durable now: one an alert and workload, or one an alert that no route took. */
    facts: z.int(),
    /** Those of them that were not there before. */
    isNew: z.int(),
    unmatched: z.int(),
    /** Told no workload, as so many others of the notification were. */
    beyond: z.int(),
    /** Alerts that could not be read; the others were taken. */
    bad: z.array(z.object({ pointer: z.string(), message: z.string() })),
  })
  .meta({ id: 'AlertsTaken' })

/** What Alertmanager has to say. */
export function alertmanagerRoute(
  app: FastifyInstance,
  { alerts, alertmanager, control, clock, log }: ApiOptions,
): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/webhooks/alertmanager',
    {
      config: { access: 'webhook', unlimited: true },
      bodyLimit: ALERTS_LIMIT_BYTES,
      schema: {
        summary: 'A notification of Alertmanager, payload version 4',
        description:
          '200 once every alert is durable; a repeated one counts once. 503 while the store is away: Alertmanager sends it again.',
        tags: ['commands'],
        security: WITH_TOKEN,
        body: notificationSchema,
        response: { 200: takenSchema, ...PROBLEMS },
      },
    },
    async ({ body, identity, id }, reply) => {
      const settings = alertmanager()
      if (settings === null)
        throw problem('API_NOT_FOUND', 'no alerts are taken here', { hint: 'add `alertmanager.routes` to the config' })
      const nowMs = clock.nowMs()
      const read = body.alerts.map((alert, index) => readAlert(alert, index, nowMs))
      const bad = read.filter(isBad)
      const [first] = bad
      if (first && bad.length === read.length) throw problem('API_BAD_REQUEST', `${first.pointer}: ${first.message}`)
      demandLoaded(control, 'Alertmanager sends it again')
      const world = routedWorld(settings, control)
      const { isWithin, beyond } = bounds()
      const kept = read.flatMap((one) => factsOf(one, { world, nowMs }).filter(isWithin))
      const leftOut = leftOutOf(body, nowMs)
      const facts = leftOut === null ? kept : [...kept, leftOut]
      const isNew = await alerts.take(facts)
      const unmatched = facts.filter(({ kind }) => kind === 'unmatched-alert').length
      const counts = { unmatched, beyond: beyond() }
      const taken = { facts: facts.length, isNew: isNew.filter(Boolean).length, ...counts }
      const told = { requestId: id, token: identity?.name, alerts: read.length, bad: bad.length, ...taken }
      if (body.truncatedAlerts > 0)
        log.warn({ ...told, truncated: body.truncatedAlerts }, 'Alertmanager left alerts out: see max_alerts there')
      else if (bad.length > 0) log.warn(told, 'alerts taken, but for those that cannot be read')
      else log.info(told, 'alerts taken')
      return reply.send({ ...taken, bad: bad.map(({ pointer, message }) => ({ pointer, message })) })
    },
  )
}

/** Tells of fact after fact whether its workload has had enough of its kind, and how many were too many. */
function bounds() {
  const counts = new Map<string, number>()
  let beyond = 0
  const isWithin = (fact: TakenFact): boolean => {
    // What no route took is bounded by the notification's size.
    if (fact.kind === 'unmatched-alert') return true
    const key = `${fact.workload} ${fact.action} ${fact.status}`
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count > MOST_PER_WORKLOAD) beyond += 1
    return count <= MOST_PER_WORKLOAD
  }
  return { isWithin, beyond: () => beyond }
}

type TakenFact = RoutedAlert | UnmatchedAlert

interface Taking {
  readonly world: RoutedWorld
  readonly nowMs: number
}

/** A fact for each workload that the alert concerns; its id is of the alert and its start, so that it counts once. */
function factsOf(read: ReadAlert | BadAlert, { world, nowMs }: Taking): readonly TakenFact[] {
  const { alert } = read
  const unmatched = (id: string, reason: string, labels: ReadAlert['labels']): UnmatchedAlert => {
    return { id, kind: 'unmatched-alert', workload: null, alert, labels, reason, receivedAtMs: nowMs }
  }
  if (isBad(read)) return [unmatched(`alert:${alert.fingerprint}`, `${read.pointer}: ${read.message}`, {})]
  const { status, labels } = read
  const id = `alert:${alert.fingerprint}:${alert.startsAtMs}`
  const routed = routeAlert(labels, world)
  if ('reason' in routed)
    // That one is over which never concerned anything is no news.
    return status === 'firing' ? [unmatched(id, routed.reason, keptLabels(labels))] : []
  const { route, resolved, workloads } = routed
  if (status === 'resolved' && resolved === 'keep') return []
  const fact = { kind: 'alert', alert, status, action: route.action, receivedAtMs: nowMs } as const
  return workloads.map((one) => ({ ...fact, id: `${id}:${status}:${one.workload}`, ...one }))
}
