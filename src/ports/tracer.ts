/** Keeps spans of what Headgate does. The one that keeps none costs nothing. */
export interface Tracer {
  /**
   * Does the work within a span, whose parent is the span in which this is called. Work that throws fails its span. The
   * fields are asked for only where the span is kept; they never hold a secret.
   */
  span<T>(name: SpanName, fields: () => SpanFields, work: (span: Span) => Promise<T>): Promise<T>
  /** The span in which this is called, as headers of W3C Trace Context; none where there is no span. */
  headers(): Readonly<Record<string, string>>
}

/** Every span that there is; docs/tracing.md lists the same. */
export type SpanName = (typeof SPAN_NAMES)[number]

export const SPAN_NAMES = [
  'headgate.sweep',
  'headgate.observe',
  'headgate.source',
  'headgate.probe',
  'headgate.traffic.read',
  'headgate.think',
  'headgate.commit',
  'headgate.traffic.write',
] as const

export interface Span {
  /** Adds fields, where the span is kept. */
  set(fields: () => SpanFields): void
  /** Marks it as failed; one clause without a secret. */
  fail(why: string): void
}

export type SpanFields = Readonly<Record<`headgate.${string}`, string | number | boolean | readonly string[]>>

const NO_SPAN: Span = { set: () => {}, fail: () => {} }
const NO_HEADERS = {}

/** Keeps no spans. */
export const NO_TRACER: Tracer = {
  span: (_, __, work) => work(NO_SPAN),
  headers: () => NO_HEADERS,
}
