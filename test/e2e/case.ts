import type { TestContext } from 'vitest'
import { createMigration, haproxyTraffic, type Migration } from '../support/migration.ts'
import { requireServer } from '../support/servers.ts'
import { startWorld, type World } from '../support/world.ts'

/** A test that waits for a real migration, which holds each step for seconds: longer than `until` waits for one of them. */
export const PATIENT = { timeout: 600_000 }

/** The real servers' paths; null: one is not installed, and the suite must be skipped. */
export function findServers(suite: string) {
  const [haproxy, prometheus] = [requireServer('haproxy', suite), requireServer('prometheus', suite)]
  return haproxy === null || prometheus === null ? null : { haproxy, prometheus }
}

export type Servers = NonNullable<ReturnType<typeof findServers>>

/** A world of these services, and one migration of them all; everything ends with the test. */
export async function startCase(
  servers: Servers | null,
  names: readonly string[],
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
): Promise<{ world: World; migration: Migration }> {
  if (servers === null) throw new Error('a suite without its servers is skipped')
  const world = await startWorld(servers, names)
  onTestFinished(world.stop)
  const migration = createMigration(world, names, haproxyTraffic(world.haproxy.socketName))
  onTestFinished(migration.stop)
  return { world, migration }
}
