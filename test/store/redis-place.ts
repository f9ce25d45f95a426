import type { Redis } from 'ioredis'
import type { RedisConfig } from '../../src/policy/config.ts'
import type { StoredRow } from '../../src/shared/journal-chain.ts'
import { openRedis, type RedisStore } from '../../src/store/redis.ts'
import { redisKeys } from '../../src/store/redis-keys.ts'
import type { RealRedis } from '../support/redis.ts'

let places = 0

export function redisSettings(url: string, changes: Partial<RedisConfig> = {}): RedisConfig {
  return {
    url,
    username: null,
    password: null,
    ca: null,
    prefix: 'headgate',
    timeoutSeconds: 5,
    waitReplicas: 0,
    ...changes,
  }
}

/** Opens a store whose leases go by the times that tests give. */
export function openTestRedis(settings: RedisConfig): Promise<RedisStore> {
  const secret = () => 'no secret'
  return openRedis(settings, { secret, newIdentity: () => crypto.randomUUID(), leaseTime: 'caller' })
}

/** A prefix that nobody else uses, the opening of a store there, and the removal of all of it. */
export function createRedisPlace(redis: RealRedis) {
  const prefix = `place ${++places}`
  const settings = redisSettings(redis.url, { prefix })
  return {
    settings,
    keys: redisKeys(prefix),
    connect: () => openTestRedis(settings),
    tamper: (edit: (rows: readonly StoredRow[]) => readonly StoredRow[]) =>
      tamperWithRedis(redis.client, redisKeys(prefix).journal, edit),
    remove: async () => {
      const keys = await redis.client.keys(`{${prefix}}:*`)
      if (keys.length > 0) await redis.client.del(...keys)
    },
  }
}

/** Changes the journal in Redis, as somebody with a hand on it can: a stream is append-only, so it is made anew. */
async function tamperWithRedis(
  client: Redis,
  key: string,
  edit: (rows: readonly StoredRow[]) => readonly StoredRow[],
): Promise<void> {
  const entries = await client.xrangeBuffer(key, '-', '+')
  const rows = entries.map(([id, fields]): StoredRow => {
    const [, hash, , text, , workload] = fields
    return {
      seq: Number.parseInt(id.toString(), 10),
      hash: String(hash),
      text: new Uint8Array(text ?? []),
      workload: workload === undefined ? null : workload.toString(),
    }
  })
  const edited = edit(rows)
  const multi = client.multi().del(key)
  for (const { seq, hash, text, workload } of edited)
    multi.xadd(
      key,
      `${seq}-1`,
      'hash',
      hash,
      'event',
      Buffer.from(text),
      ...(workload === null ? [] : ['workload', workload]),
    )
  await multi.exec()
}
