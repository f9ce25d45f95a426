import { z } from 'zod'
import { about, refuse, secretReference } from './schema.ts'

/** Credentials of requests: a bearer token, or a name and a password. `example` names the variable of the token. */
export function httpAuth(example: string, file: string) {
  return z
    .strictObject({
      bearer: secretReference().optional().meta(about('Sent as `Authorization: Bearer`', example)),
      basic: z
        .strictObject({
          username: z.string().min(1).meta(about('User name', 'headgate')),
          password: secretReference().meta(about('Its password', file)),
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
export type HttpAuth = z.output<ReturnType<typeof httpAuth>>

/** What to send, and the texts that must not be repeated anywhere. Resolved anew, so that a rotated secret counts. */
export function authorizationOf(auth: HttpAuth | undefined, secret: (reference: string) => string) {
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
