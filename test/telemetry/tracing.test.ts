import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ProbeSpec } from '../../src/core/plan.ts'
import { problem } from '../../src/core/problem.ts'
import type { TracingConfig } from '../../src/policy/config.ts'
import type { Clock } from '../../src/ports/runtime.ts'
import { SPAN_NAMES } from '../../src/ports/tracer.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { systemClock } from '../../src/telemetry/runtime.ts'
import { MOST_SPANS } from '../../src/telemetry/span-queue.ts'
import { openTracing } from '../../src/telemetry/tracing.ts'
import { createRig, planFor, sweep, World } from '../engine/rig.ts'
import { protobufFields, type SeenSpan, startReceiver } from '../fakes/otlp.ts'
import { createFastClock } from '../support/fast-clock.ts'
import { until } from '../support/until.ts'
import { type Answer, answering, silent } from '../support/web-server.ts'

const KEY = 'canary-of-a-header-51c2'

interface SceneOptions {
  readonly url?: string
  readonly answer?: Answer
  readonly config?: Partial<TracingConfig>
  readonly clock?: Clock
  readonly env?: Readonly<Record<string, string>>
}

/** A tracer and who gets its spans; most of them when it is closed. */
async function startScene({ url, answer, config, clock = systemClock, env = { KEY } }: SceneOptions = {}) {
  const receiver = await startReceiver(answer)
  const { registry, spans } = createMetrics({ version: 'test', clock })
  const told: object[] = []
  const note = (fields: object, message: string) => void told.push({ message, ...fields })
  const log = { debug: note, info: note, warn: note, error: note }
  const tracing = await openTracing(
    {
      url: `${url ?? receiver.url}/v1/traces`,
      encoding: 'json',
      headers: { authorization: '${env:KEY}' },
      sampleRatio: 1,
      serviceName: 'headgate',
      allowAddresses: [],
      ...config,
    },
    {
      ...{ clock, log, count: spans, version: 'test', runId: '01RUN' },
      secret: (reference) => {
        const value = env[reference.slice('${env:'.length, -1)]
        if (value === undefined) throw problem('CONFIG_SECRET_UNRESOLVED', `${reference} is not set`)
        return `Bearer ${value}`
      },
    },
  )
  onTestFinished(() => tracing.close())
  const counted = async () => {
    const { values } = await (registry.getSingleMetric('headgate_spans_total')?.get() ?? { values: [] })
    return Object.fromEntries(values.map(({ labels, value }) => [labels['outcome'], value]))
  }
  /** Makes so many roots. */
  const make = async (count: number) => {
    for (let made = 0; made < count; made++)
      await tracing.span(
        'headgate.sweep',
        () => ({ 'headgate.wake': 'timer' }),
        async () => {},
      )
  }
  return { receiver, tracing, told, counted, make }
}

/** Names from the root down to each span. */
function pathsOf(spans: readonly SeenSpan[]): readonly string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  const pathOf = ({ name, parentSpanId }: SeenSpan): string => {
    const parent = parentSpanId === null ? undefined : byId.get(parentSpanId)
    if (parentSpanId !== null && !parent) return `lost > ${name}`
    return parent ? `${pathOf(parent)} > ${name}` : name
  }
  return [...new Set(spans.map(pathOf))].toSorted()
}

const PROBE: ProbeSpec = {
  ...{ name: 'healthz', url: 'http://checkout.test/', method: 'GET', address: { old: null, new: '127.0.0.1' } },
  ...{ expectStatus: [200], expectBody: null, slowerThanSeconds: 1, certificateDays: null, allowAddresses: [] },
}

async function startEngine(tracer: Awaited<ReturnType<typeof startScene>>['tracing']) {
  const world = new World(['checkout'])
  const rig = createRig(world, { tracer })
  onTestFinished(() => rig.stop())
  await rig.start([{ ...planFor('checkout'), probes: [PROBE] }])
  return { world, rig }
}

describe('the trace of a sweep', () => {
  test('has what was read, thought, persisted and written, each within its own', async () => {
    const { tracing, receiver, counted } = await startScene()
    const { world, rig } = await startEngine(tracing)
    await sweep(world, 4)
    await rig.stop()
    await tracing.close()
    const spans = receiver.spans()
    expect(pathsOf(spans)).toEqual([
      'headgate.sweep',
      'headgate.sweep > headgate.commit',
      'headgate.sweep > headgate.observe',
      'headgate.sweep > headgate.observe > headgate.probe',
      'headgate.sweep > headgate.observe > headgate.source',
      'headgate.sweep > headgate.observe > headgate.traffic.read',
      'headgate.sweep > headgate.think',
      // What a write came to is read at once.
      'headgate.sweep > headgate.traffic.read',
      'headgate.sweep > headgate.traffic.write',
    ])
    const write = spans.find(({ name }) => name === 'headgate.traffic.write')
    expect(write?.attributes).toMatchObject({ 'headgate.provider': 'fake', 'headgate.urgency': 'forward' })
    const decided = spans.find(({ name, traceId }) => name === 'headgate.commit' && traceId === write?.traceId)
    expect(JSON.stringify(decided?.attributes['headgate.events'])).toContain('weight-intended')
    const [sweepSpan] = spans.filter(({ name }) => name === 'headgate.sweep')
    expect(sweepSpan).toMatchObject({ service: 'headgate', failure: null })
    expect(sweepSpan?.attributes).toMatchObject({ 'headgate.run_id': 'RUN', 'headgate.outcome': 'committed' })
    expect(await counted()).toEqual({ exported: spans.length, refused: 0, dropped: 0 })
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length)
    expect(spans.filter(({ name }) => !SPAN_NAMES.some((known) => known === name))).toEqual([])
  })

  test('says what failed and why: the source, the write, the sweep', async () => {
    const { tracing, receiver } = await startScene()
    const { world, rig } = await startEngine(tracing)
    await sweep(world, 1)
    world.sourceFault = 'throws'
    await sweep(world, 1)
    world.sourceFault = null
    world.memory.failNext('afterCommit', 'STORE_UNAVAILABLE')
    world.memory.failNext('commit', 'STORE_UNAVAILABLE')
    await sweep(world, 2)
    await rig.stop()
    await tracing.close()
    const failures = receiver.spans().flatMap(({ name, failure }) => (failure === null ? [] : [`${name}: ${failure}`]))
    expect(failures).toEqual(expect.arrayContaining([expect.stringMatching(/^headgate\.sweep: STORE_UNAVAILABLE: /)]))
    expect(failures).toEqual(expect.arrayContaining([expect.stringMatching(/^headgate\.commit: STORE_UNAVAILABLE: /)]))
    // What a fault says is nobody's to vouch for.
    expect(failures).toContain('headgate.source: Error')
    expect(failures.join()).not.toContain('a bug in the source')
  })

  test('goes on at the same pace, with the same outcome, where the receiver hangs, refuses or is away', async () => {
    const seen: object[] = []
    for (const answer of [
      answering(200, '{}'),
      silent,
      answering(400, 'no'),
      ((response) => void response.destroy()) as Answer,
    ]) {
      const { tracing } = await startScene({ answer, clock: createFastClock(20) })
      const { world, rig } = await startEngine(tracing)
      await sweep(world, 30)
      seen.push({ sweeps: rig.sweeps.length, outcomes: [...new Set(rig.sweeps)], phase: rig.phaseOf('checkout') })
      await rig.stop()
      await tracing.close()
    }
    expect(seen[0]).toMatchObject({ outcomes: ['committed'] })
    expect(seen).toEqual(seen.map(() => seen[0]))
  })
})

describe('spans', () => {
  test('that no receiver takes are bounded, and counted when they are dropped', async () => {
    const { tracing, counted, make, told } = await startScene({ answer: silent, clock: createFastClock(20) })
    await make(MOST_SPANS + 100)
    expect(await counted()).toMatchObject({ exported: 0, dropped: 100 })
    await tracing.close()
    expect(await counted()).toEqual({ exported: 0, refused: 0, dropped: MOST_SPANS + 100 })
    expect(told).toEqual([
      { message: 'no traces can be sent; sweeps go on without', why: expect.stringContaining('in time') },
    ])
  })

  test('wait for a receiver that is away, and come once when it is back', async () => {
    let mood: Answer = answering(503, 'not now')
    const { make, receiver, counted } = await startScene({
      answer: (response, request) => mood(response, request),
      clock: createFastClock(10),
    })
    await make(3)
    await until('it was asked twice', () => receiver.requests.length >= 2)
    mood = answering(200, '{}')
    await until('they come', () => receiver.spans().length > 0)
    expect(receiver.spans()).toHaveLength(3)
    await until('it is counted', async () => (await counted())['exported'] === 3)
  })

  test('that a receiver calls malformed are given up, and counted, in whole or in part', async () => {
    const refusing = await startScene({ answer: answering(400, 'what is this') })
    await refusing.make(3)
    await refusing.tracing.close()
    expect(await refusing.counted()).toEqual({ exported: 0, refused: 3, dropped: 0 })
    const partial = await startScene({ answer: answering(200, '{"partialSuccess":{"rejectedSpans":"2"}}') })
    await partial.make(3)
    await partial.tracing.close()
    expect(await partial.counted()).toEqual({ exported: 1, refused: 2, dropped: 0 })
  })

  test.each([
    ['a header that is not there', { env: {} }, '${env:KEY} is not set'],
    ['a metadata address', { url: 'http://169.254.169.254' }, 'metadata address'],
    ['an answer that repeats what it was sent', { answer: echoing(401) }, 'answered 401'],
    ['one that repeats it and refuses', { answer: echoing(400) }, 'answered 400'],
  ])('say why they are not sent, without a secret: %s', async (_, options, why) => {
    const { make, tracing, told } = await startScene(options)
    await make(1)
    await tracing.close()
    expect(JSON.stringify(told)).toContain(why)
    expect(JSON.stringify(told)).not.toContain(KEY)
  })

  test('never hold what a fault said, nor the receiver’s header', async () => {
    const { tracing, receiver } = await startScene()
    const fault = () => Promise.reject(new Error(`a fault with ${KEY}`))
    await expect(tracing.span('headgate.sweep', () => ({}), fault)).rejects.toThrow('a fault with')
    await tracing.close()
    expect(receiver.spans()).toMatchObject([{ name: 'headgate.sweep', failure: 'Error' }])
    expect(receiver.requests.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${KEY}`])
    expect(receiver.requests.map(({ body }) => body).join()).not.toContain(KEY)
  })

  test('of sweeps that are not sampled cost nothing, and their calls say so', async () => {
    const { tracing, receiver } = await startScene({ config: { sampleRatio: 0 } })
    const fields = () => {
      throw new Error('nobody asks')
    }
    const seen = await tracing.span('headgate.sweep', fields, () =>
      tracing.span('headgate.source', fields, async () => ({ headers: tracing.headers(), traceId: tracing.traceId() })),
    )
    await tracing.close()
    expect(seen).toEqual({
      headers: { traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/) },
      traceId: null,
    })
    expect(receiver.requests).toEqual([])
  })

  test('go as protobuf by default', async () => {
    const bodies: Buffer[] = []
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      expect(request.headers['content-type']).toBe('application/x-protobuf')
      bodies.push(Buffer.concat(chunks))
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { tracing, make, counted } = await startScene({
      url: `http://127.0.0.1:${port}`,
      config: { encoding: 'protobuf' },
    })
    await make(2)
    await tracing.close()
    const within = (message: Buffer | undefined, field: number) =>
      protobufFields(message ?? Buffer.alloc(0)).get(field) ?? []
    const [resourceSpans] = within(bodies[0], 1)
    const spans = within(within(resourceSpans, 2)[0], 2)
    expect(spans.map((span) => within(span, 5).join())).toEqual(['headgate.sweep', 'headgate.sweep'])
    expect(spans.map((span) => within(span, 1)[0]?.length)).toEqual([16, 16])
    expect(await counted()).toMatchObject({ exported: 2 })
  })
})

test('docs/tracing.md names every span', () => {
  const page = readFileSync(new URL('../../docs/tracing.md', import.meta.url), 'utf8')
  expect([...page.matchAll(/^\| `(headgate\.[a-z.]+)` \|/gm)].map(([, name]) => name)).toEqual(SPAN_NAMES)
})

test('nothing of OpenTelemetry is loaded by whoever only imports', () => {
  const root = new URL('../../src/', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const loading = files.filter((name) =>
    /^import (?!type )(?:(?!^import )[\s\S])*?from '@opentelemetry/m.test(readFileSync(new URL(name, root), 'utf8')),
  )
  expect(files.length).toBeGreaterThan(100)
  expect(loading).toEqual([])
})

test('calls and log lines within a span carry its trace, those without none', async () => {
  const { tracing } = await startScene()
  const text: string[] = []
  const destination = { write: (line: string) => void text.push(line) }
  const log = createLog({ level: 'info', traceId: () => tracing.traceId(), destination })
  log.info({}, 'before')
  const headers = await tracing.span(
    'headgate.sweep',
    () => ({}),
    async () => {
      log.info({}, 'within')
      await new Promise((resolve) => setImmediate(resolve))
      return tracing.headers()
    },
  )
  const [before, within] = text.map((line) => JSON.parse(line))
  expect(before).not.toHaveProperty('traceId')
  expect(headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  expect(headers['traceparent']).toContain(within.traceId)
  expect(tracing.headers()).toEqual({})
})

function echoing(status: number): Answer {
  return (response, request) => answering(status, `you sent ${JSON.stringify(request.headers)}`)(response, request)
}
