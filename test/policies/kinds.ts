import { z } from 'zod'
import type { Kinds } from '../../src/policy/kinds.ts'
import { about, duration, secretReference } from '../../src/shared/schema.ts'

const proxySettings = z.strictObject({
  socket: z.string().meta(about('Socket', '/run/proxy.sock')),
  backend: z.string().meta(about('Backend', 'be_checkout')),
})

const hookSettings = z.strictObject({
  url: z.string().meta(about('Where it answers', 'http://router:8080')),
  split: z.string().meta(about('Name of the split', 'checkout')),
  token: secretReference().optional(),
  settle: duration().prefault('0s').meta(about('Until clients see a write', '30s')),
})

const nameSettings = z.strictObject({ record: z.string().meta(about('Record', 'checkout.example.com')) })
const nameOutput = z.object({ record: z.string() })

const proxyOutput = z.object({ socket: z.string(), backend: z.string() })
const hookOutput = z.object({ url: z.string(), split: z.string(), settle: z.number() })

/** Small kinds of the tests' own, so that the cases do not change with the adapters. */
export const kinds: Kinds = {
  traffic: [
    {
      kind: 'proxy',
      settings: proxySettings,
      scopeOf: (settings) => proxyOutput.parse(settings).socket,
      placeOf: (settings) => proxyOutput.parse(settings).backend,
      account: null,
      timingOf: () => ({ propagationSeconds: 0, movingTtlSeconds: null }),
      trials: ['mirror'],
      // Like a proxy with 100 slots: nothing between none and one.
      nearestWeights: (weight) => (weight > 0 && weight < 1 ? [0, 1] : [weight]),
    },
    {
      kind: 'hook',
      settings: hookSettings,
      scopeOf: (settings) => hookOutput.parse(settings).url,
      placeOf: (settings) => hookOutput.parse(settings).split,
      account: null,
      timingOf: (settings) => ({ propagationSeconds: hookOutput.parse(settings).settle, movingTtlSeconds: null }),
      nearestWeights: (weight) => [weight],
    },
    {
      kind: 'names',
      settings: nameSettings,
      scopeOf: () => 'zone',
      placeOf: (settings) => nameOutput.parse(settings).record,
      account: z.strictObject({
        account: z.string().meta(about('Account', '1234')),
        callsPerSecond: z
          .number()
          .prefault(10)
          .meta(about('Quota', 10, 'calls/s')),
      }),
      timingOf: () => ({ propagationSeconds: 60, movingTtlSeconds: 20 }),
      nearestWeights: (weight) => [weight],
    },
  ],
  sources: [
    {
      kind: 'metrics',
      settings: z.strictObject({
        url: z.string().meta(about('Where it answers', 'http://prometheus:9090')),
        auth: z
          .union([
            z.strictObject({ bearer: secretReference() }),
            z.strictObject({ basic: z.strictObject({ username: z.string(), password: secretReference() }) }),
          ])
          .optional(),
        timeout: duration({ minSeconds: 1, maxSeconds: 60 }).prefault('5s'),
      }),
      measures: ['selector', 'goodSelector', 'histogram', 'nativeHistogram', 'query', 'value'],
    },
    {
      kind: 'scraper',
      settings: z.strictObject({ targets: z.array(z.string()).min(1) }),
      measures: ['selector', 'goodSelector', 'histogram'],
    },
    {
      kind: 'logs',
      settings: z.strictObject({ url: z.string() }),
      measures: ['ask', 'askValue'],
      queryFault: (query, { form, labels }) => {
        const offset = query.indexOf('?')
        if (offset < 0) return null
        return {
          offset,
          cause: `\`${form}\` asks nobody about ${labels.workload}`,
          hint: 'leave out the question mark',
        }
      },
    },
    {
      kind: 'minutes',
      settings: z.strictObject({ url: z.string() }),
      measures: ['ask'],
      usualWindowSeconds: 60,
      synthetics: {},
    },
  ],
  channels: [
    {
      kind: 'chat',
      settings: z.strictObject({ room: z.string(), key: secretReference().optional() }),
      takes: 'messages',
    },
    { kind: 'pager', settings: z.strictObject({ service: z.string() }), takes: 'incidents' },
  ],
}
