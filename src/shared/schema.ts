import { z } from 'zod'
import type { ProblemCode } from '../core/problem.ts'

/**
 * Field types that config schemas share. An issue of one of them carries its problem code in `params.code`, and its
 * hint, where it has one of its own, in `params.hint`. `x-type` names the type in the JSON Schema, the reference and
 * the messages. Describe a field with `.meta(about('What it is', 'an example'))`.
 */

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `90s`, `5m`, `24h`, `7d` → seconds. Whole numbers only, so that nobody has to guess what `1.5m` rounds to. */
export function duration(range: { minSeconds?: number; maxSeconds?: number } = {}) {
  const { minSeconds = 0, maxSeconds = 366 * 86_400 } = range
  return z
    .string()
    .meta({ 'x-type': 'duration', pattern: '^\\d+[smhd]$', examples: ['5m'] })
    .transform((text, ctx): number => {
      const match = /^(\d+)([smhd])$/.exec(text)
      const seconds = match ? Number(match[1]) * (UNIT_SECONDS[match[2] ?? ''] ?? Number.NaN) : Number.NaN
      if (Number.isNaN(seconds)) return refuse(ctx, 'CONFIG_DURATION', `"${text}" is not a duration`)
      if (seconds < minSeconds || seconds > maxSeconds)
        return refuse(
          ctx,
          'CONFIG_WRONG_VALUE',
          `"${text}" is not between ${formatSeconds(minSeconds)} and ${formatSeconds(maxSeconds)}`,
          'write a value in that range',
        )
      return seconds
    })
}

/** `10%`, `99.9%` → 10, 99.9. At most `decimals` digits behind the point. */
export function percent(range: { min?: number; max?: number; decimals?: number } = {}) {
  const { min = 0, max = 100, decimals = 1 } = range
  return z
    .string()
    .meta({ 'x-type': 'percent', pattern: '^\\d+(\\.\\d+)?%$', examples: ['10%'] })
    .transform((text, ctx): number => {
      const match = /^(\d+(?:\.(\d+))?)%$/.exec(text)
      if (!match) return refuse(ctx, 'CONFIG_PERCENT', `"${text}" is not a percentage`)
      if ((match[2]?.length ?? 0) > decimals)
        return refuse(
          ctx,
          'CONFIG_PERCENT',
          `"${text}" is too fine`,
          `write at most ${decimals} ${decimals === 1 ? 'digit' : 'digits'} behind the point`,
        )
      const value = Number(match[1])
      if (value < min || value > max)
        return refuse(
          ctx,
          'CONFIG_WRONG_VALUE',
          `"${text}" is not between ${min}% and ${max}%`,
          'write a value in that range',
        )
      return value
    })
}

// Absolute paths only: what a relative one is relative to would have to be guessed.
const SECRET_REFERENCE = /^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:\/[^}]+)\}$/

/** True for the text of a reference: `${env:NAME}`, or `${file:PATH}` with an absolute path. */
export function isSecretReference(text: string): boolean {
  return SECRET_REFERENCE.test(text)
}

/** `${env:NAME}` or `${file:PATH}`; stays a reference until an adapter resolves it. */
export function secretReference() {
  return z
    .string()
    .meta({ 'x-type': 'secret', pattern: SECRET_REFERENCE.source, examples: ['${env:HEADGATE_TOKEN}'] })
    .transform((text, ctx): string => {
      // The text itself may be the secret: it is never repeated.
      if (!isSecretReference(text))
        return refuse(ctx, 'CONFIG_SECRET_LITERAL', 'a secret is not written into the config')
      return text
    })
}

/** Metadata of a config key: what it is, one clause; an example as one writes it in YAML; the unit of a plain number. */
export function about(description: string, example?: unknown, unit?: string) {
  return { description, ...(example !== undefined && { examples: [example] }), ...(unit && { 'x-unit': unit }) }
}

interface RefinementContext {
  addIssue(issue: { code: 'custom'; message: string; params: { code: ProblemCode; hint?: string } }): void
}

/** Refuses a value with a code of the catalogue. */
export function refuse(ctx: RefinementContext, code: ProblemCode, message: string, hint?: string): never {
  ctx.addIssue({ code: 'custom', message, params: { code, ...(hint && { hint }) } })
  return z.NEVER
}

/** 90 → `90s`, 300 → `5m`, 86400 → `24h`: the longest unit that keeps it whole, days from two on. */
export function formatSeconds(seconds: number): string {
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const) {
    const count = seconds / size
    if (Number.isInteger(count) && count >= (unit === 'd' ? 2 : 1)) return `${count}${unit}`
  }
  return `${seconds}s`
}
