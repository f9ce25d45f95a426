import { AsyncLocalStorage } from 'node:async_hooks'
import type { Attributes, Context, Span as OtelSpan, Tracer as OtelTracer } from '@opentelemetry/api'
import { Problem } from '../core/problem.ts'
import type { TracingConfig } from '../policy/config.ts'
import type { AdapterContext } from '../ports/kind.ts'
import { NO_TRACER, type Span, type SpanFields, type SpanName, type Tracer } from '../ports/tracer.ts'
import { cut } from '../shared/cut.ts'
import { OtlpSender } from './otlp.ts'
import { SpanQueue, type SpanQueueDeps } from './span-queue.ts'

const MAX_VALUE = 300
const MAX_FIELDS = 32
const SAMPLED = 1

/** A tracer that sends what it keeps. */
export interface Tracing extends Tracer {
  /** The trace in which this is called, where it is kept; null: there is none. */
  traceId(): string | null
  /** Sends what waits, for two seconds at most. */
  close(): Promise<void>
}

export interface TracingDeps extends Pick<SpanQueueDeps, 'count' | 'clock' | 'log'>, Pick<AdapterContext, 'secret'> {
  readonly version: string
  readonly runId: string
}

/** Keeps no spans. */
export const NO_TRACING: Tracing = { ...NO_TRACER, traceId: () => null, close: async () => {} }

/** Loads OpenTelemetry, and keeps spans from now on; null: neither. Connects to nothing yet. */
export async function openTracing(config: TracingConfig | null, deps: TracingDeps): Promise<Tracing> {
  if (config === null) return NO_TRACING
  const [api, sdk, { resourceFromAttributes }, otlp] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/otlp-transformer'),
  ])
  const writer = config.encoding === 'json' ? otlp.JsonTraceSerializer : otlp.ProtobufTraceSerializer
  const sender = new OtlpSender(config, writer, deps.secret)
  const { count, clock, log } = deps
  const queue = new SpanQueue({ send: (spans, signal) => sender.send(spans, signal), count, clock, log })
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': config.serviceName,
      'service.version': deps.version,
      'service.instance.id': deps.runId,
    }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(config.sampleRatio) }),
    // Said here, as the environment has no say in it: the config is the one way.
    spanLimits: { attributeValueLengthLimit: MAX_VALUE, attributeCountLimit: MAX_FIELDS },
    spanProcessors: [queue],
  })
  const tracer = new SpanTracer(provider.getTracer('headgate', deps.version), api)
  return Object.assign(tracer, {
    close: async () => {
      await queue.shutdown()
      await sender.close()
    },
  })
}

type Api = Pick<typeof import('@opentelemetry/api'), 'ROOT_CONTEXT' | 'trace' | 'SpanStatusCode'>

/** Spans follow the calls: what is awaited within one, or begun there, is its child. */
class SpanTracer implements Tracer {
  readonly #within = new AsyncLocalStorage<Context>()
  readonly #tracer: OtelTracer
  readonly #api: Api

  constructor(tracer: OtelTracer, api: Api) {
    this.#tracer = tracer
    this.#api = api
  }

  span<T>(name: SpanName, fields: () => SpanFields, work: (span: Span) => Promise<T>): Promise<T> {
    const { ROOT_CONTEXT, trace } = this.#api
    const parent = this.#within.getStore() ?? ROOT_CONTEXT
    const span = this.#tracer.startSpan(name, {}, parent)
    const kept = this.#handle(span)
    kept.set(fields)
    return this.#within.run(trace.setSpan(parent, span), async () => {
      try {
        return await work(kept)
      } catch (error) {
        kept.fail(causeOf(error))
        throw error
      } finally {
        span.end()
      }
    })
  }

  headers(): Readonly<Record<string, string>> {
    const of = this.#current()
    return of === undefined ? {} : { traceparent: `00-${of.traceId}-${of.spanId}-0${of.traceFlags & SAMPLED}` }
  }

  traceId(): string | null {
    const of = this.#current()
    return of !== undefined && (of.traceFlags & SAMPLED) !== 0 ? of.traceId : null
  }

  #current() {
    const within = this.#within.getStore()
    return within && this.#api.trace.getSpanContext(within)
  }

  #handle(span: OtelSpan): Span {
    let isFailed = false
    return {
      set: (fields) => {
        if (span.isRecording()) span.setAttributes(attributesOf(fields()))
      },
      // The first reason is the cause, a later one its consequence.
      fail: (why) => {
        if (!isFailed) span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: cut(why, MAX_VALUE) })
        isFailed = true
      },
    }
  }
}

function attributesOf(fields: SpanFields): Attributes {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === 'object' ? [...value] : value]),
  )
}

/** What a fault says may hold anything; only problems are known to hold no secret. */
function causeOf(error: unknown): string {
  if (error instanceof Problem) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.name : 'a fault'
}
