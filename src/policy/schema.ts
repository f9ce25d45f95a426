import { z } from 'zod'
import { about, duration } from '../shared/schema.ts'
import type { Kinds, SourceKindConfig, TrafficKindConfig } from './kinds.ts'
import { alertmanagerSchema } from './schema-alertmanager.ts'
import { apiSchema } from './schema-api.ts'
import { calendarSchema } from './schema-calendar.ts'
import { costsSchema } from './schema-costs.ts'
import { fleetSchema } from './schema-fleet.ts'
import { kubernetesSchema } from './schema-kubernetes.ts'
import { name, text } from './schema-names.ts'
import { notifySchema } from './schema-notify.ts'
import { policySchema } from './schema-policy.ts'
import { redisSchema } from './schema-redis.ts'
import { type SliSettings, sliSchema } from './schema-sli.ts'
import { telemetrySchema } from './schema-telemetry.ts'
import { defaultsSchema, workloadSchema } from './schema-workload.ts'
import { jsonSettings } from './settings.ts'

/** The config's zod schema, for these kinds. Its output has units; rules across keys are in `check.ts`. */
export function configSchema(kinds: Kinds) {
  return z.strictObject({
    apiVersion: z.literal('headgate/v1').meta(about('Version of this format', 'headgate/v1')),
    migration: name().meta(about('Names the migration in logs, metrics and events', 'eks-1-33')),
    clusters: z
      .strictObject({
        old: text().meta(about('The cluster to leave, as the cluster label of the metrics names it', 'prod-a')),
        new: text().meta(about('The cluster to move to', 'prod-b')),
      })
      .meta(about('The two clusters', { old: 'prod-a', new: 'prod-b' })),
    sweep: duration({ minSeconds: 1, maxSeconds: 300 })
      .prefault('10s')
      .meta(about('How often evidence is gathered and judged: from 1s to 5m', '10s')),
    observeTimeout: duration({ minSeconds: 1, maxSeconds: 300 })
      .optional()
      .meta(about('What has not answered by then is missing; below the sweep; by default 5s, or half the sweep', '5s')),
    sources: sourcesSchema(kinds.sources),
    providers: providersSchema(kinds.traffic),
    kubernetes: kubernetesSchema.optional(),
    calendar: calendarSchema,
    slis: z.record(name(), sliSchema).prefault({}).meta(about('What is measured, by name')),
    policy: text().prefault('standard').meta(about('Policy of the workloads that name none', 'standard')),
    policies: z.record(name(), policySchema).prefault({}).meta(about('Own policies, by name')),
    defaults: defaultsSchema,
    fleet: fleetSchema,
    costs: costsSchema,
    workloads: z.array(workloadSchema(kinds.traffic)).min(1).meta(about('The services to move')),
    alertmanager: alertmanagerSchema,
    api: apiSchema,
    notify: notifySchema(kinds.channels),
    telemetry: telemetrySchema,
    store: z
      .strictObject({
        path: text().prefault('headgate.db').meta(about("SQLite file, relative to the config's folder", 'headgate.db')),
      })
      .prefault({})
      .meta(about('Where the state is kept')),
    redis: redisSchema,
  })
}

/** Keys of what belongs to the whole service: of several files, one has each. */
export const SERVICE_KEYS = [
  'sweep',
  'observeTimeout',
  'sources',
  'providers',
  'alertmanager',
  'api',
  'notify',
  'telemetry',
  'store',
  'redis',
] as const

/** The schema of a file without a migration. */
export function serviceSchema(kinds: Kinds) {
  const { shape } = configSchema(kinds)
  const { apiVersion, sweep, observeTimeout, sources, providers, alertmanager, api } = shape
  const { notify, telemetry, store, redis } = shape
  const asked = { apiVersion, sweep, observeTimeout, sources, providers, alertmanager, api }
  return z.strictObject({ ...asked, notify, telemetry, store, redis })
}

/** A config as the schema gives it: an SLI may still have its definition in a file. */
export type WrittenConfig = z.output<ReturnType<typeof configSchema>>

/** A config whose SLIs are all known. */
export type ParsedConfig = Omit<WrittenConfig, 'slis'> & { readonly slis: Readonly<Record<string, SliSettings>> }

function sourcesSchema(kinds: readonly SourceKindConfig[]) {
  const shape = Object.fromEntries(
    kinds.map(({ kind, settings }) => [
      kind,
      jsonSettings(settings)
        .optional()
        .meta(about(`A source of the kind ${kind}`)),
    ]),
  )
  return z.strictObject(shape).prefault({}).meta(about('Where metrics come from, by kind'))
}

function providersSchema(kinds: readonly TrafficKindConfig[]) {
  const shape = Object.fromEntries(
    kinds.flatMap(({ kind, account }) =>
      account === null
        ? []
        : [
            [
              kind,
              jsonSettings(account)
                .optional()
                .meta(about(`What all targets of the kind ${kind} share`)),
            ],
          ],
    ),
  )
  return z
    .strictObject(shape)
    .prefault({})
    .meta(about('Accounts, credentials and quotas of traffic providers, by kind'))
}
