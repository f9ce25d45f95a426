import { resolve } from 'node:path'
import type { Config } from '../policy/config.ts'
import type { StorePorts } from '../ports/store.ts'
import { openSqlite } from './sqlite.ts'

export interface OpenedStore extends StorePorts {
  /** How logs name it. */
  readonly place: string
  /** Names this very store, where replicas share it: a new one has another. null: it is a file. */
  readonly identity: string | null
  /** What an operator should know of it; empty: nothing. */
  readonly advice: readonly string[]
}

/** Opens the store that a config names, and makes it where there is none. `folder` is the config's. Throws STORE_…. */
export async function openStore(
  { store, redis }: Pick<Config, 'store' | 'redis'>,
  folder: string,
  deps: { readonly secret: (reference: string) => string; readonly newIdentity: () => string },
): Promise<OpenedStore> {
  if (redis === undefined) {
    const place = resolve(folder, store.path)
    return { ...openSqlite(place), place, identity: null, advice: [] }
  }
  // Loaded only where it is configured.
  const { openRedis } = await import('./redis.ts')
  return { ...(await openRedis(redis, deps)), place: `${redis.url} {${redis.prefix}}` }
}
