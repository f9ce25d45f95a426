import { z } from 'zod'
import { about, refuse, secretReference } from './schema.ts'

/** Credentials of requests: a bearer token, or a name and a password; `variable` and `name` are for the examples. */
export function authSettings(variable: string, name: string) {
  return z
    .strictObject({
      bearer: secretReference()
        .optional()
        .meta(about('Sent as `Authorization: Bearer`', `\${env:${variable}}`)),
      basic: z
        .strictObject({
          username: z.string().min(1).meta(about('User name', 'headgate')),
          password: secretReference().meta(about('Its password', `\${file:/run/secrets/${name}}`)),
        })
        .optional()
        .meta(about('Sent as `Authorization: Basic`')),
    })
    .superRefine(({ bearer, basic }, ctx) => {
      if ((bearer === undefined) === (basic === undefined))
        refuse(ctx, 'CONFIG_WRONG_VALUE', 'one of `bearer` and `basic` is needed, and not both', 'keep one of the two')
    })
}

/** Credentials as the config has them: the secrets are references. */
export type AuthSettings = z.output<ReturnType<typeof authSettings>>

/** What to send, and the texts that must not be repeated anywhere. Resolved anew, so that a rotated secret counts. */
export function authorizationOf(auth: AuthSettings | undefined, secret: (reference: string) => string) {
  if (auth?.bearer !== undefined) {
    const token = secret(auth.bearer)
    return { header: `Bearer ${token}`, secrets: [token] }
  }
  if (auth?.basic !== undefined) {
    const password = secret(auth.basic.password)
    const pair = Buffer.from(`${auth.basic.username}:${password}`).toString('base64')
    return { header: `Basic ${pair}`, secrets: [pair, password] }
  }
  return null
}
