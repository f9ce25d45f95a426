import { z } from 'zod'
import { isMissing } from '../core/observation.ts'
import { parseMatchers } from '../shared/alertmanager/matchers.ts'
import { authSettings } from '../shared/http-auth.ts'
import { compileMatchers } from '../shared/promql/matching.ts'
import type { Matcher } from '../shared/promql/selector.ts'
import { about, duration, refuse } from '../shared/schema.ts'
import { httpUrl } from './schema-http.ts'
import { labelName, name, workloadName } from './schema-names.ts'

const matcher = z
  .string()
  .meta({ 'x-type': 'matcher', examples: ['severity="critical"'] })
  .transform((text, ctx): readonly Matcher[] => {
    const matchers = parseMatchers(text)
    if (matchers === null)
      return refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no matcher`, 'write LABEL="VALUE", with =, !=, =~ or !~')
    if (isMissing(compileMatchers({ matchers })))
      return refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" has a pattern that Headgate cannot match`, 'simplify it')
    return matchers
  })

/** All of them must fit. */
function matchersOf(description: string, example: readonly string[]) {
  return z
    .array(matcher)
    .min(1)
    .transform((lists) => lists.flat())
    .meta(about(description, example))
}

const resolvedSchema = z.enum(['keep', 'clear'])

const routeSchema = z
  .strictObject({
    match: matchersOf('Matchers of Alertmanager, all of which must fit', ['severity="critical"']),
    action: z
      .enum(['halt', 'revert'])
      .meta(about('What a firing alert does; a revert first asks whether OLD can take the traffic', 'revert')),
    workload: workloadName().optional().meta(about('To this workload', 'checkout')),
    workloadLabel: labelName().optional().meta(about('To the workload that this label of the alert names', 'service')),
    wave: name().optional().meta(about('To the workloads of this wave', 'first')),
    migration: name().optional().meta(about('To the workloads of this migration, or whose wave it is', 'eks-1-33')),
    everything: z.literal(true).optional().meta(about('To all workloads', true)),
    cluster: z
      .enum(['new', 'old', 'any'])
      .prefault('new')
      .meta(about('The cluster that the alert must concern, by its cluster label; `any` asks for no label', 'new')),
    resolved: resolvedSchema.optional().meta(about('As in `receive`, for this route', 'clear')),
  })
  .superRefine(({ action, cluster, workload, workloadLabel, wave, migration, everything }, ctx) => {
    if (action === 'revert' && cluster === 'old')
      refuse(
        ctx,
        'CONFIG_WRONG_VALUE',
        'an alert on the old cluster cannot revert: the traffic would be sent there',
        'write `action: halt`',
      )
    const given = [workload, workloadLabel, wave ?? migration, everything].filter((one) => one !== undefined)
    if (given.length === 1) return
    const cause = given.length === 0 ? 'a route names no workloads' : 'a route names its workloads twice'
    refuse(ctx, 'CONFIG_WRONG_VALUE', cause, 'write one of workload, workloadLabel, wave, migration, everything')
  })

const receiveSchema = z
  .strictObject({
    clusterLabel: labelName()
      .prefault('cluster')
      .meta(about('The label of an alert that has the name of its cluster', 'cluster')),
    resolved: resolvedSchema
      .prefault('keep')
      .meta(
        about('What a resolved alert does: `clear` ends the hold that it made, `keep` leaves it to a person', 'keep'),
      ),
  })
  .prefault({})
  .meta(about('How alerts are read'))

const silenceSchema = z
  .strictObject({
    matchers: matchersOf('What is expected to fire while a workload moves; its own label is added', [
      'alertname=~"TrafficDropped|TrafficRose"',
    ]),
    workloadLabel: labelName()
      .prefault('service')
      .meta(about("The label of an alert that has the workload's name", 'service')),
    atMost: duration({ minSeconds: 60, maxSeconds: 86_400 })
      .prefault('30m')
      .meta(about('A silence ends so long after its weight was decided, though the step may last longer', '30m')),
  })
  .transform(({ atMost, ...rest }) => ({ ...rest, atMostSeconds: atMost }))
  .meta(about('Alerts to silence in Alertmanager for the time of a step'))

export const alertmanagerSchema = z
  .strictObject({
    receive: receiveSchema,
    routes: z.array(routeSchema).prefault([]).meta(about('Which alert does what; the first route that fits counts')),
    url: httpUrl().optional().meta(about("Where Alertmanager's own API is, for silences", 'http://alertmanager:9093')),
    auth: authSettings('ALERTMANAGER_TOKEN', 'alertmanager')
      .optional()
      .meta(about("Credentials for Alertmanager's API; none without it")),
    silence: silenceSchema.optional(),
  })
  .superRefine(({ url, silence }, ctx) => {
    if (silence === undefined || url !== undefined) return
    refuse(
      ctx,
      'CONFIG_MISSING_KEY',
      'a silence needs the `url` of Alertmanager',
      'add `url: http://alertmanager:9093`',
    )
  })
  .optional()
  .meta(about('Alerts that halt or revert, and alerts that are silenced while traffic moves'))

export type AlertmanagerConfig = NonNullable<z.output<typeof alertmanagerSchema>>
export type AlertRoute = AlertmanagerConfig['routes'][number]
export type SilenceConfig = NonNullable<AlertmanagerConfig['silence']>
