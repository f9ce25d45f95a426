import { z } from 'zod'
import { type Answer, answering, startWebServer, type WebRequest, type WebServer } from '../support/web-server.ts'

/** A span as a receiver sees it. */
export interface SeenSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  /** null: it is a root. */
  readonly parentSpanId: string | null
  readonly attributes: Readonly<Record<string, unknown>>
  /** The service that it is of. */
  readonly service: unknown
  /** null: it did not fail. */
  readonly failure: string | null
}

export interface FakeReceiver extends WebServer {
  /** Of all requests that it took, in order. */
  spans(): readonly SeenSpan[]
}

/** A receiver of OTLP over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp. It checks what it gets. */
export async function startReceiver(answer: Answer = answering(200, '{}')): Promise<FakeReceiver> {
  const taken: SeenSpan[] = []
  const server = await startWebServer((response, request) => {
    response.on('finish', () => {
      if (response.statusCode === 200) taken.push(...spansOf(request))
    })
    receiver.answer(response, request)
  })
  const receiver: FakeReceiver = Object.assign(Object.create(server), { answer, spans: () => taken })
  return receiver
}

function spansOf(request: WebRequest): readonly SeenSpan[] {
  if (request.method !== 'POST' || !request.url.endsWith('/v1/traces')) throw new Error(`no such path: ${request.url}`)
  if (request.headers['content-type'] !== 'application/json') throw new Error('this receiver reads JSON alone')
  return exported
    .parse(JSON.parse(request.body))
    .resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map((span) => seenSpan(span, valuesOf(resource.attributes)))),
    )
}

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))
const nanoseconds = z.string().regex(/^\d{19}$/)
const anyValue = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ intValue: z.number() }),
  z.strictObject({ doubleValue: z.number() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ arrayValue: z.strictObject({ values: z.array(z.strictObject({ stringValue: z.string() })) }) }),
])
const attributes = z.array(z.strictObject({ key: z.string(), value: anyValue }))
const span = z.looseObject({
  traceId: hex(32),
  spanId: hex(16),
  parentSpanId: hex(16).optional(),
  name: z.string().min(1),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes,
  status: z.strictObject({ code: z.union([z.literal(0), z.literal(1), z.literal(2)]), message: z.string().optional() }),
})
const exported = z.object({
  resourceSpans: z.array(
    z.object({ resource: z.looseObject({ attributes }), scopeSpans: z.array(z.object({ spans: z.array(span) })) }),
  ),
})

function seenSpan(one: z.output<typeof span>, resource: Readonly<Record<string, unknown>>): SeenSpan {
  const { name, traceId, spanId, parentSpanId = null, status } = one
  return {
    ...{ name, traceId, spanId, parentSpanId },
    attributes: valuesOf(one.attributes),
    service: resource['service.name'],
    failure: status.code === 2 ? (status.message ?? '') : null,
  }
}

function valuesOf(given: z.output<typeof attributes>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(given.map(({ key, value }) => [key, Object.values(value)[0]]))
}

/** Fields of a protobuf message, by number: https://protobuf.dev/programming-guides/encoding/. */
export function protobufFields(message: Buffer): ReadonlyMap<number, readonly Buffer[]> {
  const fields = new Map<number, Buffer[]>()
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message.readUInt8(at++)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  const lengthOf = (wireType: number): number => {
    const start = at
    switch (wireType) {
      case 0:
        varint()
        return at - start
      case 1:
        return 8
      case 2:
        return varint()
      case 5:
        return 4
      default:
        throw new Error(`no protobuf: wire type ${wireType}`)
    }
  }
  while (at < message.length) {
    const key = varint()
    const start = at
    const length = lengthOf(key % 8)
    const from = key % 8 === 2 ? at : start
    at = from + length
    fields.set(Math.floor(key / 8), [...(fields.get(Math.floor(key / 8)) ?? []), message.subarray(from, at)])
  }
  return fields
}
