import { isIP } from 'node:net'
import { z } from 'zod'
import type { Json } from '../core/plan.ts'
import { about, duration, refuse } from '../shared/schema.ts'
import type { TrafficKindConfig } from './kinds.ts'
import { criticalitySchema } from './schema-fleet.ts'
import { addressRange, answerSchema, httpUrl } from './schema-http.ts'
import { objectsSchema, replicasSchema } from './schema-kubernetes.ts'
import { name, text, workloadName } from './schema-names.ts'
import { replicationSchema, statefulSchema } from './schema-preflight.ts'
import { syntheticsSchema } from './schema-synthetics.ts'
import { jsonSettings } from './settings.ts'

const addressSchema = z
  .strictObject({
    old: address().optional().meta(about('Where OLD answers: host or host:port', '198.51.100.7')),
    new: address().optional().meta(about('Where NEW answers: host or host:port', '203.0.113.9')),
  })
  .meta(about('Where each cluster answers, whatever DNS says; give `old`, `new` or both', { new: '203.0.113.9' }))

const expectSchema = answerSchema([200])

const slowerThan = duration({ minSeconds: 1, maxSeconds: 60 }).prefault('5s').meta(about('A slower answer fails', '5s'))

const certificateDays = z
  .int()
  .min(1)
  .max(365)
  .optional()
  .meta(about('A certificate with fewer days left fails; for https', 14, 'days'))

const probeSchema = z.strictObject({
  name: name().optional().meta(about('Unique in the workload; by default probe-1, probe-2, …', 'healthz')),
  url: httpUrl().meta(
    about('What is asked; its host gives Host header, SNI and certificate name', 'https://shop.example.com/healthz'),
  ),
  method: z.enum(['GET', 'HEAD']).prefault('GET').meta(about('HTTP method', 'GET')),
  address: addressSchema.optional(),
  expect: expectSchema,
  slowerThan,
  certificateDays,
  allowAddresses: z
    .array(addressRange())
    .prefault([])
    .meta(about('Link-local or metadata addresses that it may have all the same', ['169.254.10.0/24'])),
})

export type ProbeSettings = z.output<typeof probeSchema>

/** One target as written, and where its settings stand below the kind's key. */
export interface TargetSettings {
  readonly settings: Json
  readonly path: readonly number[]
}

function targetSchema(kind: TrafficKindConfig) {
  const settings = jsonSettings(kind.settings)
  return z.union([
    settings.transform((one): readonly TargetSettings[] => [{ settings: one, path: [] }]),
    z
      .array(settings)
      .min(1)
      .transform((list): readonly TargetSettings[] => list.map((one, index) => ({ settings: one, path: [index] }))),
  ])
}

function trafficSchema(kinds: readonly TrafficKindConfig[], description: string) {
  const shape = Object.fromEntries(
    kinds.map((kind) => [
      kind.kind,
      targetSchema(kind)
        .optional()
        .meta(about(`Targets of the kind ${kind.kind}: one, or a list`)),
    ]),
  )
  return z
    .strictObject(shape)
    .superRefine((traffic, ctx) => {
      if (Object.keys(traffic).length > 0) return
      const params = { code: 'CONFIG_MISSING_KEY', hint: `add one of: ${kinds.map(({ kind }) => kind).join(', ')}` }
      ctx.addIssue({ code: 'custom', message: 'a workload needs a place where its split is written', params })
    })
    .meta(about(description))
}

/** One workload; its `traffic` takes the given kinds. */
export function workloadSchema(kinds: readonly TrafficKindConfig[]) {
  return z.strictObject({
    name: workloadName().meta(about("The service's name, which is also the value of its workload label", 'checkout')),
    team: name().optional().meta(about('Who answers for it: scopes of tokens and groups go by it', 'payments')),
    after: z
      .array(text())
      .prefault([])
      .meta(about('Workloads that must have baked before this one starts', ['catalog'])),
    criticality: criticalitySchema,
    policy: text().optional().meta(about("Policy of this workload; by default the config's", 'careful')),
    slis: sliNames()
      .optional()
      .meta(about('SLIs that judge this workload; by default all', ['availability'])),
    traffic: trafficSchema(kinds, 'Where the split is written, by kind of provider'),
    boomerang: trafficSchema(
      kinds,
      'Routes in NEW that send what still arrives there back to OLD when the rollout reverts',
    ).optional(),
    probes: z.array(probeSchema).prefault([]).meta(about('Synthetic requests that judge this workload')),
    synthetics: syntheticsSchema,
    stateful: statefulSchema,
    replication: replicationSchema,
    kubernetes: objectsSchema.optional(),
    capacity: replicasSchema,
  })
}

/** What workloads share unless they say otherwise. */
export const defaultsSchema = z
  .strictObject({
    slis: sliNames()
      .optional()
      .meta(about('SLIs of a workload that names none', ['availability'])),
    probe: z.strictObject({ address: addressSchema.optional() }).prefault({}).meta(about('What probes share')),
  })
  .prefault({})
  .meta(about('What workloads share unless they say otherwise'))

function sliNames() {
  return z.array(text())
}

function address() {
  return z
    .string()
    .meta({ 'x-type': 'address' })
    .transform((written, ctx): string => {
      if (isAddress(written)) return written
      const hint =
        'write a host or an IP address, with a port if needed: 203.0.113.9, 203.0.113.9:8443, [2001:db8::1]:443'
      return refuse(ctx, 'CONFIG_WRONG_VALUE', `"${written}" is not an address`, hint)
    })
}

function isAddress(written: string): boolean {
  if (isIP(written) > 0) return true
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(written)
  if (!match) return false
  const [, v6, host, port] = match
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false
  if (v6 !== undefined) return isIP(v6) === 6
  return host !== undefined && /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(host) && !looksLikeBadIp(host)
}

// 300.1.1.1 or 10.0.0: no host has a numeric last label.
function looksLikeBadIp(host: string): boolean {
  return /(^|\.)\d+$/.test(host) && isIP(host) === 0
}
