import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'

const LONGEST_RETRY_MS = 1_000
/** Longer than anybody here has Redis hold an answer back. */
const PATIENT_SOCKET_MS = 15_000

/** Where Redis is, and how it is spoken to. */
export interface RedisSettings {
  readonly url: string
  readonly username: string | null
  /** A reference. */
  readonly password: string | null
  /** PEM file of the authorities to trust; null: the usual ones. */
  readonly ca: string | null
  readonly timeoutSeconds: number
}

export interface RedisClientOptions {
  /** Told of every trouble of the connection, in words without a secret. */
  readonly onTrouble: (message: string) => void
  /**
   * Where Redis is away: `fail-fast` has every command fail at once, and each within the timeout; `patient` has them wait until Redis is
   * back, and lets Redis hold back the answer to a command that waits for something.
   */
  readonly manner: 'fail-fast' | 'patient'
}

/** Makes a client that is not connected yet; later losses of its connection are mended by themselves. */
export type MakeRedisClient = (options: RedisClientOptions) => Redis

/** Loads what makes clients. A file or a secret that cannot be read is thrown by what it gives. */
export async function loadRedisClients(
  { url, username, password, ca, timeoutSeconds }: RedisSettings,
  secret: (reference: string) => string,
): Promise<MakeRedisClient> {
  // Loaded only where it is configured.
  const { Redis } = await import('ioredis')
  const { hostname, port, pathname, protocol } = new URL(url)
  const manners = mannersOf(timeoutSeconds * 1000)
  return ({ onTrouble, manner }) => {
    const redis: Redis = new Redis({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 6379 : Number(port),
      db: Number(pathname.slice(1)),
      ...(username !== null && { username }),
      ...(password !== null && { password: secret(password) }),
      ...(protocol === 'rediss:' && { tls: ca === null ? {} : { ca: readFileSync(ca) } }),
      lazyConnect: true,
      connectTimeout: timeoutSeconds * 1000,
      ...manners[manner],
      // A primary that became a replica: look where the name leads to now.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
      retryStrategy: (times) => {
        try {
          // A password that was rotated counts from the next connection.
          if (password !== null) redis.options.password = secret(password)
        } catch (error) {
          onTrouble(error instanceof Error ? error.message : String(error))
        }
        return Math.min(100 * times, LONGEST_RETRY_MS)
      },
    })
    redis.on('error', (error: Error) => onTrouble(error.message || error.name))
    return redis
  }
}

function mannersOf(timeoutMs: number) {
  return {
    'fail-fast': {
      commandTimeout: timeoutMs,
      // A connection that has died without a word must not be waited on.
      socketTimeout: 2 * timeoutMs,
      // Fail at once, and never send again what may have been done: the caller looks what is there.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    },
    patient: { socketTimeout: PATIENT_SOCKET_MS, maxRetriesPerRequest: null },
  }
}

/** Host, port and database: without what a URL could hide. */
export function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `${hostname}:${port || 6379}${pathname.length > 1 ? pathname : ''}`
}
