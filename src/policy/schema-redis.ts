import { z } from 'zod'
import { about, duration, refuse, secretReference } from '../shared/schema.ts'
import type { RedisConfig } from './config.ts'
import { name, text } from './schema-names.ts'

/** Where the store of several replicas is. */
export const redisSchema = z
  .strictObject({
    url: redisUrl().meta(about('`redis://HOST:PORT/DATABASE`; `rediss://` for TLS', 'redis://redis:6379')),
    username: text().optional().meta(about('User of Redis; by default its default user', 'headgate')),
    password: secretReference()
      .optional()
      .meta(about('Its password; one that was rotated counts from the next connection', '${env:REDIS_PASSWORD}')),
    ca: text()
      .optional()
      .meta(about('PEM file of the authorities to trust, instead of the usual ones', '/etc/ssl/redis-ca.pem')),
    prefix: name()
      .prefault('headgate')
      .meta(about('All keys are `{PREFIX}:…`; one for each service on this Redis', 'headgate')),
    timeout: duration({ minSeconds: 1, maxSeconds: 5 })
      .prefault('2s')
      .meta(about('A Redis that has not answered by then is down: from 1s to 5s', '2s')),
    waitReplicas: z
      .int()
      .min(0)
      .max(10)
      .prefault(0)
      .meta(about('Replicas of Redis that must have a write before it counts, so that a failover loses none', 1)),
  })
  .transform(
    ({ timeout, username = null, password = null, ca = null, ...rest }): RedisConfig => ({
      ...rest,
      username,
      password,
      ca,
      timeoutSeconds: timeout,
    }),
  )
  .optional()
  .meta(about('The store of several replicas; without it there is one process, with its store in a file'))

function redisUrl() {
  return z
    .string()
    .meta({ 'x-type': 'URL', pattern: '^rediss?://' })
    .transform((written, ctx): string => {
      const url = URL.canParse(written) ? new URL(written) : null
      const isFit =
        url !== null &&
        /^rediss?:$/.test(url.protocol) &&
        url.hostname !== '' &&
        `${url.username}${url.password}${url.search}${url.hash}` === '' &&
        /^(\/\d*)?$/.test(url.pathname)
      if (isFit) return written
      const hint =
        'write redis://HOST:PORT, or redis://HOST:PORT/1 for another database; a password has a key of its own'
      return refuse(ctx, 'CONFIG_WRONG_VALUE', 'not a URL of Redis', hint)
    })
}
