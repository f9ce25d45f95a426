import { z } from 'zod'
import type { QuotaLimits } from '../ports/quota.ts'
import { about, refuse } from '../shared/schema.ts'

/** Where an API answers, by default its public address; without slashes at its end. */
export function endpoint(publicUrl: string) {
  return z
    .string()
    .prefault(publicUrl)
    .meta(about('Where the API answers: another address for a private endpoint', publicUrl))
    .transform((text, ctx): string => {
      const url = URL.parse(text)
      if (!url || !['http:', 'https:'].includes(url.protocol))
        return refuse(ctx, 'CONFIG_WRONG_VALUE', 'this is no http:// or https:// URL')
      if (url.username !== '' || url.password !== '')
        return refuse(ctx, 'CONFIG_SECRET_LITERAL', 'this URL has credentials in it', 'use a secret reference instead')
      if (url.search !== '' || url.hash !== '')
        return refuse(ctx, 'CONFIG_WRONG_VALUE', 'this URL has a query or a fragment', 'keep what is before it')
      return url.href.replace(/\/+$/, '')
    })
}

/** How many calls Headgate may make with an account. */
export function quota(defaults: QuotaLimits) {
  return z
    .strictObject({
      callsPerSecond: z
        .number()
        .min(0.01)
        .max(1000)
        .prefault(defaults.callsPerSecond)
        .meta(about('Calls a second in the long run', defaults.callsPerSecond)),
      burst: z
        .int()
        .min(2)
        .max(10_000)
        .prefault(defaults.burst)
        .meta(about('Calls that may come at once after a pause', defaults.burst)),
    })
    .prefault({})
    .meta(about('What Headgate may take of the rate that the provider allows; half of it is kept for reverts'))
}
