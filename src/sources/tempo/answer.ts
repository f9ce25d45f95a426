import { z } from 'zod'
import { type Missing, missing } from '../../core/observation.ts'
import { clause } from '../../shared/text.ts'

/** An attribute's value, as OTLP writes it in JSON. */
const attributeValue = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.string(), z.number()]).optional(),
  doubleValue: z.number().optional(),
  boolValue: z.boolean().optional(),
})

/** Protobuf in JSON: 64-bit numbers are texts, what is zero is left out, and what is no number is a word. */
const sample = z.object({
  timestampMs: z.union([z.string().regex(/^\d+$/), z.number()]).transform(Number),
  value: z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number)]).default(0),
})

const body = z.object({
  series: z
    .array(
      z.object({
        labels: z.array(z.object({ key: z.string(), value: attributeValue.default({}) })).default([]),
        samples: z.array(sample).default([]),
      }),
    )
    .default([]),
  /** There from 2.9 on. */
  status: z.string().optional(),
  message: z.string().optional(),
})

/** One series of an answer: its attributes, and its samples. */
export interface TempoSeries {
  readonly labels: ReadonlyMap<string, string>
  /** Equal for the same series in several answers, and for no two. */
  readonly identity: string
  readonly samples: readonly { readonly timestampMs: number; readonly value: number }[]
}

/** Reads the body of a successful query. A part of an answer is none: what it leaves out would be taken for nothing. */
export function readTempo(answer: unknown, secrets: readonly string[]): { readonly series: TempoSeries[] } | Missing {
  const parsed = body.safeParse(answer)
  if (!parsed.success) return missing('bad-answer', 'not an answer of Tempo’s metrics API')
  const { series, status, message } = parsed.data
  if (status === 'PARTIAL') return missing('bad-answer', `only a part of the answer: ${clause(message ?? '', secrets)}`)
  return {
    series: series.map(({ labels, samples }) => {
      const texts = labels.flatMap(({ key, value }) => textOf(value).map((text) => [key, text] as const))
      return { labels: new Map(texts), identity: JSON.stringify(texts.toSorted()), samples }
    }),
  }
}

function textOf(value: z.output<typeof attributeValue>): readonly string[] {
  const text = value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue
  return text === undefined ? [] : [String(text)]
}
