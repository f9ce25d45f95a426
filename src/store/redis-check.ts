import { problem } from '../core/problem.ts'
import type { RedisConnection } from './redis-connection.ts'

/** `XRANGE` and `ZRANGE` as they are used here came with it. */
const OLDEST_VERSION = [6, 2] as const

/**
 * Looks whether this Redis may hold a store, and gives what is to be told of it. Throws STORE_EVICTS where it would throw keys away,
 * and STORE_UNAVAILABLE where it is too old or takes no writes.
 */
export async function checkServer(connection: RedisConnection): Promise<readonly string[]> {
  const info = await connection.info()
  const { place } = connection
  const version = info.get('redis_version') ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1]))
    throw problem('STORE_UNAVAILABLE', `Redis at ${place} has version ${version}`, {
      hint: `use Redis ${OLDEST_VERSION.join('.')} or newer`,
    })
  const role = info.get('role')
  if (role !== undefined && role !== 'master')
    throw problem('STORE_UNAVAILABLE', `Redis at ${place} is a replica`, { hint: 'the URL must lead to the primary' })
  const policy = info.get('maxmemory_policy')
  if (policy !== 'noeviction')
    throw problem('STORE_EVICTS', `Redis at ${place} has maxmemory-policy ${policy ?? 'unknown'}`)
  return info.get('aof_enabled') === '1'
    ? []
    : ['Redis keeps no append-only file: a restart of it loses what came since its last snapshot (docs/redis.md)']
}
