import { z } from 'zod'
import type { Json } from '../core/plan.ts'

const json: z.ZodType<Json> = z.json()

/**
 * A kind's settings, known to be plain JSON. Throws where they are not: that is the kind's fault, not the config's.
 * A transform, since zod forgets about unknown keys when a strict object is piped into a union such as `z.json()`.
 */
export function jsonSettings(settings: z.ZodType<unknown>) {
  return settings.transform((value): Json => json.parse(value))
}
