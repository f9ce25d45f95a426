import { z } from 'zod'
import type { Bound } from '../core/plan.ts'
import { about, duration } from '../shared/schema.ts'
import { labelName, name, text } from './schema-names.ts'

/** The signals that Headgate knows how to read; their definitions are in `signals.ts`. */
export const SIGNAL_IDS = [
  'apiAvailability',
  'nodeReadiness',
  'podEvictions',
  'latency',
  'errors',
  'etcdCommit',
  'volumeAttach',
] as const
export type SignalId = (typeof SIGNAL_IDS)[number]

/** How workloads of a wave are put in order; lower starts first. */
export const CRITICALITIES = { low: 0, normal: 1, high: 2 } as const

export const criticalitySchema = z
  .enum(['low', 'normal', 'high'])
  .prefault('normal')
  .meta(about('How much depends on it: in its wave, `low` moves first', 'low'))

/** A bound as written: fixed, or of a relative one the parts that are given. */
export type WrittenBound = Bound | { readonly timesOld: number | null; readonly plus: number | null }

/** A signal's own settings; null: as the standard has it. */
export interface SignalSettings {
  readonly query: string | null
  readonly bound: WrittenBound | null
  readonly forSeconds: number | null
  readonly title: string | null
  readonly unit: string | null
  readonly ofTraffic: boolean | null
}

const AS_STANDARD: SignalSettings = {
  query: null,
  bound: null,
  forSeconds: null,
  title: null,
  unit: null,
  ofTraffic: null,
}

const numbers = {
  max: z.number().optional().meta(about('The value of NEW must not be above this', 0.2)),
  min: z.number().optional().meta(about('The value of NEW must not be below this', 99.5)),
  timesOld: z
    .number()
    .min(0)
    .optional()
    .meta(about('Instead of a fixed bound: NEW may have so many times the value of OLD', 1.2, 'times')),
  plus: z.number().min(0).optional().meta(about('With `timesOld`: and so much on top', 0.1)),
  for: duration({ maxSeconds: 86_400 }).optional().meta(about('Bad for so long before it halts', '2m')),
}

function query() {
  return text().meta({
    'x-type': 'PromQL',
    ...about('Own PromQL, one sample a cluster; `$window` is 5m', 'max by (cluster) (queue_depth)'),
  })
}

function knownSignal(id: SignalId) {
  const own = z
    .strictObject({ ...numbers, query: query().optional() })
    .superRefine(refuseTwoBounds)
    .transform(({ query = null, for: forSeconds = null, ...bounds }): SignalSettings => {
      return { ...AS_STANDARD, query, forSeconds, bound: boundOf(bounds) }
    })
  return z
    .union([z.literal('standard').transform(() => AS_STANDARD), own])
    .optional()
    .meta(about(`The signal ${id}: \`standard\`, or what differs from that`, 'standard'))
}

const ownSignal = z
  .strictObject({
    ...numbers,
    query: query(),
    title: text().optional().meta(about('What sentences call it; by default its name', 'messages in the queue')),
    unit: text().optional().meta(about('What sentences put behind its values', 'messages')),
    ofTraffic: z
      .boolean()
      .optional()
      .meta(about("It measures users' requests: not judged while a cluster serves none", true)),
  })
  .superRefine(refuseTwoBounds)
  .superRefine((signal, ctx) => {
    if (boundOf(signal) !== null) return
    const params = { code: 'CONFIG_MISSING_KEY', hint: 'add `max: NUMBER`, `min: NUMBER` or `timesOld: NUMBER`' }
    ctx.addIssue({ code: 'custom', message: 'a signal needs a bound', params })
  })
  .transform(
    ({ query, for: forSeconds = 60, title = null, unit = '', ofTraffic = false, ...bounds }): SignalSettings => {
      return { query, forSeconds, title, unit, ofTraffic, bound: boundOf(bounds) }
    },
  )

interface Bounds {
  readonly max?: number | undefined
  readonly min?: number | undefined
  readonly timesOld?: number | undefined
  readonly plus?: number | undefined
}

function boundOf({ max, min, timesOld, plus }: Bounds): WrittenBound | null {
  if (max !== undefined) return { max }
  if (min !== undefined) return { min }
  return timesOld === undefined && plus === undefined ? null : { timesOld: timesOld ?? null, plus: plus ?? null }
}

function refuseTwoBounds({ max, min, timesOld, plus }: Bounds, ctx: z.RefinementCtx): void {
  const given = [max, min, timesOld ?? plus].filter((one) => one !== undefined)
  if (given.length < 2) return
  const params = { code: 'CONFIG_WRONG_VALUE', hint: 'keep `max`, or `min`, or `timesOld` with `plus`' }
  ctx.addIssue({ code: 'custom', message: 'a signal has one bound', params })
}

const signalsSchema = z.union([
  z.literal('standard'),
  z.strictObject({
    apiAvailability: knownSignal('apiAvailability'),
    nodeReadiness: knownSignal('nodeReadiness'),
    podEvictions: knownSignal('podEvictions'),
    latency: knownSignal('latency'),
    errors: knownSignal('errors'),
    etcdCommit: knownSignal('etcdCommit'),
    volumeAttach: knownSignal('volumeAttach'),
    own: z.record(name(), ownSignal).prefault({}).meta(about('Signals of your own, by name')),
  }),
])

const waveSchema = z.strictObject({
  name: name().meta(about('What sentences, `--wave` and the API call it', 'canaries')),
  workloads: z
    .array(text())
    .min(1)
    .meta(about('Who moves in it', ['catalog', 'mailer'])),
  concurrency: z
    .int()
    .min(1)
    .optional()
    .meta(about('Workloads of this wave that may be under way at once', 1, 'workloads')),
})

/** What holds for the migration as a whole; rules across keys are in `check-fleet.ts`. */
export const fleetSchema = z
  .strictObject({
    waves: z
      .array(waveSchema)
      .prefault([])
      .meta(
        about('Who moves before whom: a wave begins when those before it have baked. Workloads in none move last', [
          { name: 'canaries', workloads: ['mailer'] },
        ]),
      ),
    concurrency: z
      .int()
      .min(1)
      .optional()
      .meta(about('Workloads that may be under way at once; by default any number', 5, 'workloads')),
    spacing: duration().prefault('0s').meta(about('Between the starts of two workloads', '10m')),
    canaryFirst: z
      .boolean()
      .prefault(false)
      .meta(about('The first workload of a wave, of the lowest criticality, bakes before the others start', true)),
    breaker: z
      .strictObject({
        reverts: z
          .int()
          .min(1)
          .meta(about('So many reverts halt the migration', 2, 'reverts')),
        within: duration({ minSeconds: 1 }).meta(about('When they began within so long of each other', '1h')),
      })
      .optional()
      .meta(about('When some workloads revert, all others halt', { reverts: 2, within: '1h' })),
    clusterLabel: labelName()
      .optional()
      .meta(about('Label of the cluster in the signals; by default that of the SLIs', 'cluster')),
    signals: signalsSchema
      .optional()
      .meta(about('What is watched of the clusters: `standard`, or a map of those that are wanted', 'standard')),
  })
  .prefault({})
  .meta(about('Waves, limits and signals of the migration as a whole; follows the config at once'))

export type FleetSettings = z.output<typeof fleetSchema>
