import { z } from 'zod'
import { about } from '../shared/schema.ts'

const MAX_AN_HOUR = 1_000_000_000

const price = () => z.number().min(0).max(MAX_AN_HOUR)

/** What the two clusters cost: for the report alone. Nothing is decided by it. */
export const costsSchema = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be three capital letters')
      .meta(about('ISO 4217 code of the currency', 'EUR')),
    oldPerHour: price().meta(about('What OLD costs an hour', 12.5, 'currency/h')),
    newPerHour: price().meta(about('What NEW costs an hour', 14, 'currency/h')),
  })
  .optional()
  .meta(about('What the clusters cost while both run, for the report'))
