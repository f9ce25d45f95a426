import { z } from 'zod'
import { parseRange } from '../shared/guard.ts'
import { about, refuse } from '../shared/schema.ts'

/** What an answer must be to pass; by default one of these statuses, and any body. */
export function answerSchema(statuses: readonly number[]) {
  const [first] = statuses
  const usual = statuses.length === 1 && first !== undefined ? first : [...statuses]
  return z
    .strictObject({
      status: z
        .union([status().transform((one): readonly number[] => [one]), z.array(status()).min(1)])
        .prefault(usual)
        .meta(about('Status, or list of statuses, that passes', usual)),
      body: regularExpression()
        .optional()
        .meta(about('Regular expression that the body must match', '"status": ?"ok"')),
    })
    .prefault({})
    .meta(about('What the answer must be', { status: usual }))
}

function status() {
  return z.int().min(100).max(599)
}

/** A URL of http or https, without a password in it. */
export function httpUrl() {
  return z
    .string()
    .meta({ 'x-type': 'URL', pattern: '^https?://' })
    .transform((written, ctx): string => {
      const protocol = URL.canParse(written) ? new URL(written).protocol : ''
      if (protocol === 'http:' || protocol === 'https:') return written
      return refuse(ctx, 'CONFIG_WRONG_VALUE', 'not a URL of http or https', 'write https://HOST/PATH')
    })
}

function regularExpression() {
  return z
    .string()
    .meta({ 'x-type': 'regular expression' })
    .transform((written, ctx): string => {
      try {
        new RegExp(written)
        return written
      } catch {
        const hint = 'write a JavaScript regular expression; a backslash before a special character takes it literally'
        return refuse(ctx, 'CONFIG_WRONG_VALUE', 'not a regular expression', hint)
      }
    })
}

/** An IP address, or a range of them with its prefix. */
export function addressRange() {
  return z
    .string()
    .meta({ 'x-type': 'address or range' })
    .superRefine((text, ctx) => {
      if (parseRange(text) === null)
        refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no address or range`, 'write 169.254.10.1 or 169.254.10.0/24')
    })
}
