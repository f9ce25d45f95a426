import { resolve } from 'node:path'
import type { Config } from '../policy/config.ts'
import type { OpenAllowance } from '../ports/quota.ts'
import type { Clock, Log } from '../ports/runtime.ts'
import type { ArchivedStore } from './archive.ts'
import { openSqlite } from './sqlite.ts'

export interface OpenedStore extends ArchivedStore {
  /** How logs name it. */
  readonly place: string
  /** Names this migration run: as its rollouts do, or anew. */
  readonly runId: string
  /** What an operator should know of it; empty: nothing. */
  readonly advice: readonly string[]
  /** Counts the calls of provider accounts for all replicas; null: there is one process. */
  readonly allowances: ((deps: { readonly clock: Clock; readonly log: Log }) => OpenAllowance) | null
}

interface OpenDeps {
  readonly secret: (reference: string) => string
  readonly newId: () => string
}

/** Opens the store that a config names, and makes it where there is none. `folder` is the config's. Throws STORE_…. */
export async function openStore(
  config: Pick<Config, 'store' | 'redis'>,
  folder: string,
  deps: OpenDeps,
): Promise<OpenedStore> {
  const { freshRunId, ...opened } = await openPorts(config, folder, deps)
  try {
    return { ...opened, runId: (await opened.store.runId()) ?? freshRunId }
  } catch (error) {
    await opened.store.close()
    throw error
  }
}

async function openPorts({ store, redis }: Pick<Config, 'store' | 'redis'>, folder: string, deps: OpenDeps) {
  if (redis === undefined) {
    const place = resolve(folder, store.path)
    return { ...openSqlite(place), place, freshRunId: deps.newId(), advice: [], allowances: null }
  }
  // Loaded only where it is configured.
  const { openRedis } = await import('./redis.ts')
  const { identity, ...ports } = await openRedis(redis, { secret: deps.secret, newIdentity: deps.newId })
  // Replicas that start at once must name the run alike: the store has one identity.
  return { ...ports, place: `${redis.url} {${redis.prefix}}`, freshRunId: identity }
}
