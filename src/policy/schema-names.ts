import { z } from 'zod'
import { refuse } from '../shared/schema.ts'

/** A name in URLs, metrics and labels: lower-case letters, digits, `-`; at most 63. */
export function name() {
  return z
    .string()
    .meta({ 'x-type': 'name', pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' })
    .transform((text, ctx): string => {
      if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text
      return refuse(
        ctx,
        'CONFIG_WRONG_VALUE',
        `"${text}" is not a name`,
        'use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends',
      )
    })
}

/** A workload's name, which is also its label's value in the metrics: what Kubernetes takes as a label value. */
export function workloadName() {
  return z
    .string()
    .meta({ 'x-type': 'name', pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$' })
    .transform((text, ctx): string => {
      if (/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text)) return text
      return refuse(
        ctx,
        'CONFIG_WRONG_VALUE',
        `"${text}" is not a workload name`,
        'use at most 63 letters, digits, `.`, `_` and `-`, with a letter or digit at both ends',
      )
    })
}

/** A Prometheus label name. */
export function labelName() {
  return z
    .string()
    .meta({ 'x-type': 'label name', pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' })
    .transform((text, ctx): string => {
      if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text)) return text
      const hint = 'use letters, digits and `_`, as the label is called in Prometheus'
      return refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is not a label name`, hint)
    })
}

/** The name of a histogram, without `_bucket`. */
export function histogramName() {
  return z
    .string()
    .meta({ 'x-type': 'metric name', pattern: '^[a-zA-Z_:][a-zA-Z0-9_:]*$' })
    .transform((text, ctx): string => {
      const suffix = /_(bucket|count|sum)$/.exec(text)?.[0]
      if (suffix) {
        const base = text.slice(0, -suffix.length)
        return refuse(ctx, 'CONFIG_PROMQL', `"${text}" is one series of a histogram`, `write the base name: ${base}`)
      }
      if (/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(text)) return text
      const hint = 'write the base name alone, such as http_request_duration_seconds'
      return refuse(ctx, 'CONFIG_PROMQL', `"${text}" is not the name of a metric`, hint)
    })
}

/** Text that is not empty. */
export function text() {
  return z.string().min(1)
}
