import { z } from 'zod'
import { duration, refuse, secretReference } from '../../shared/schema.ts'

/** One split of a provider that speaks the protocol of docs/providers/http.md. */
export const httpSettings = z.strictObject({
  url: z
    .string()
    .meta({
      description: 'Where the provider answers; `/v1/splits` is appended.',
      examples: ['http://router.internal:8080'],
    })
    .transform((text, ctx): string => {
      const url = URL.parse(text)
      if (!url || !['http:', 'https:'].includes(url.protocol))
        return refuse(ctx, 'CONFIG_WRONG_VALUE', 'not an http:// or https:// URL')
      if (url.username !== '' || url.password !== '')
        return refuse(ctx, 'CONFIG_SECRET_LITERAL', 'a URL with credentials in it', 'use `token` instead')
      if (url.search !== '' || url.hash !== '')
        return refuse(ctx, 'CONFIG_WRONG_VALUE', 'a URL with a query or a fragment')
      return url.href.replace(/\/+$/, '')
    }),
  split: z
    .string()
    .regex(/^[^\p{C}]{1,200}$/u, 'not a name of 1 to 200 printable characters')
    .meta({ description: "The split's name at the provider.", examples: ['checkout'] }),
  token: secretReference()
    .optional()
    .meta({
      description: 'Sent as a bearer token.',
      examples: ['${env:ROUTER_TOKEN}'],
    }),
  settle: duration()
    .prefault('0s')
    .meta({ description: 'From an acknowledged write until clients must have seen it.', examples: ['30s'] }),
  timeout: duration({ minSeconds: 1, maxSeconds: 60 })
    .prefault('5s')
    .meta({ description: 'How long one call may take.', examples: ['5s'] }),
})

export type HttpSettings = z.output<typeof httpSettings>
