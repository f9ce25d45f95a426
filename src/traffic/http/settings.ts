import { z } from 'zod'
import { about, duration, refuse, secretReference } from '../../shared/schema.ts'

/** One split of a provider that speaks the protocol of docs/providers/http.md. */
export const httpSettings = z
  .strictObject({
    url: z
      .string()
      .meta(about('Where the provider answers; `/v1/splits` is appended', 'http://router.internal:8080'))
      .transform((text, ctx): string => {
        const url = URL.parse(text)
        if (!url || !['http:', 'https:'].includes(url.protocol))
          return refuse(ctx, 'CONFIG_WRONG_VALUE', 'this is no http:// or https:// URL')
        if (url.username !== '' || url.password !== '')
          return refuse(ctx, 'CONFIG_SECRET_LITERAL', 'this URL has credentials in it', 'use `token` instead')
        if (url.search !== '' || url.hash !== '')
          return refuse(ctx, 'CONFIG_WRONG_VALUE', 'this URL has a query or a fragment', 'keep what is before it')
        return url.href.replace(/\/+$/, '')
      }),
    split: z
      .string()
      .superRefine((text, ctx) => {
        if (!/^[^\p{C}]{1,200}$/u.test(text))
          refuse(ctx, 'CONFIG_WRONG_VALUE', 'this is no name of a split', 'use 1 to 200 printable characters')
      })
      .meta(about("The split's name at the provider", 'checkout')),
    token: secretReference().optional().meta(about('Sent as a bearer token', '${env:ROUTER_TOKEN}')),
    settle: duration().prefault('0s').meta(about('From an acknowledged write until clients must have seen it', '30s')),
    timeout: duration({ minSeconds: 1, maxSeconds: 60 }).prefault('5s').meta(about('How long one call may take', '5s')),
  })
  .transform(({ settle, timeout, ...rest }) => ({ ...rest, settleSeconds: settle, timeoutSeconds: timeout }))

export type HttpSettings = z.output<typeof httpSettings>
