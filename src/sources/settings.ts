import { z } from 'zod'
import { refuse } from '../shared/schema.ts'

/** An http or https URL. Credentials have a place of their own, where they are references. */
export function httpUrl() {
  return z
    .string()
    .meta({ format: 'uri', examples: ['http://prometheus:9090'] })
    .transform((text, ctx): string => {
      const url = URL.parse(text)
      // The text is not repeated before this is known: it may hold a password.
      if (url !== null && (url.username !== '' || url.password !== ''))
        return refuse(ctx, 'CONFIG_SECRET_LITERAL', 'a URL holds no user name or password', 'move them to `auth`')
      if (url === null || !['http:', 'https:'].includes(url.protocol))
        return refuse(ctx, 'CONFIG_WRONG_VALUE', 'not an http or https URL', 'write http://HOST:PORT or https://HOST')
      return text
    })
}

/** The largest answer that is read, bytes. */
export function byteLimit(defaultBytes: number) {
  return z
    .int()
    .min(1024)
    .max(2 ** 30)
    .default(defaultBytes)
}
