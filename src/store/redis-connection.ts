import type { ChainableCommander, Redis } from 'ioredis'
import { problem } from '../core/problem.ts'
import type { RedisConfig } from '../policy/config.ts'
import { loadRedisClients, placeOf } from '../shared/redis-client.ts'
import { redisProblem } from './redis-failure.ts'

/** The one way to Redis. What it throws leaves as STORE_UNAVAILABLE. */
export interface RedisConnection {
  /** Host, port and database: how problems name it. */
  readonly place: string
  /** Runs a script, and waits for the replicas where some are to have it. */
  write(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<readonly unknown[]>
  /** Runs commands as of one moment, and gives their answers. */
  read(commands: (multi: ChainableCommander) => ChainableCommander): Promise<readonly unknown[]>
  /** The answer to INFO, by its keys. */
  info(): Promise<ReadonlyMap<string, string>>
  close(): void
}

/** Connects; throws STORE_UNAVAILABLE where that fails. Later losses are mended by themselves; meanwhile every use fails at once. */
export async function connectRedis(
  settings: RedisConfig,
  secret: (reference: string) => string,
): Promise<RedisConnection> {
  const { url, timeoutSeconds, waitReplicas } = settings
  const place = placeOf(url)
  const timeoutMs = timeoutSeconds * 1000
  let lastTrouble: string | null = null
  let isClosed = false
  const makeClient = await loadRedisClients(settings, secret)
  const redis = makeClient({
    onTrouble: (message) => {
      lastTrouble = message
    },
    manner: 'fail-fast',
  })
  const guarded = async <T>(use: () => Promise<T>): Promise<T> => {
    if (isClosed) throw problem('STORE_UNAVAILABLE', `the connection to Redis at ${place} was closed`)
    try {
      return await use()
    } catch (error) {
      throw redisProblem(place, error, lastTrouble)
    }
  }
  const known = new Map<string, string>()
  const run = async (script: string, keys: readonly string[], args: readonly (string | number)[]) => {
    const sha = known.get(script) ?? ((await redis.script('LOAD', script)) as string)
    known.set(script, sha)
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args)
    } catch (error) {
      // Redis has restarted, or a replica has taken over.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return redis.eval(script, keys.length, ...keys, ...args)
    }
  }
  const connection: RedisConnection = {
    place,
    write: (script, keys, args) =>
      guarded(async () => {
        const answer = await run(script, keys, args)
        if (!Array.isArray(answer)) throw problem('STORE_UNAVAILABLE', `Redis at ${place} answered no list`)
        if (answer[0] === 'ok' && waitReplicas > 0) await waitFor(redis, waitReplicas, timeoutMs / 2, place)
        return answer
      }),
    read: (commands) =>
      guarded(async () => {
        const answers = await commands(redis.multi()).exec()
        if (answers === null) throw problem('STORE_UNAVAILABLE', `Redis at ${place} gave up a transaction`)
        return answers.map(([error, answer]) => {
          if (error) throw error
          return answer
        })
      }),
    info: () => guarded(async () => parseInfo(await redis.info())),
    close: () => {
      isClosed = true
      redis.disconnect()
    },
  }
  try {
    await guarded(() => redis.connect())
    return connection
  } catch (error) {
    connection.close()
    throw redisProblem(place, error, lastTrouble)
  }
}

async function waitFor(redis: Redis, replicas: number, timeoutMs: number, place: string): Promise<void> {
  const reached = await redis.wait(replicas, Math.max(1, Math.round(timeoutMs)))
  if (reached < replicas)
    throw problem('STORE_UNAVAILABLE', `Redis at ${place}: ${reached} of ${replicas} replicas have the write`, {
      hint: 'see to the replicas of Redis; Headgate goes on by itself',
    })
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\r\n').flatMap((line) => {
      const at = line.indexOf(':')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : []
    }),
  )
}
