import type { JournalRowJson } from '../api/wire.ts'
import { type Problem, problem } from '../core/problem.ts'
import type { Client } from './client.ts'
import type { JournalReader } from './journal-reader.ts'

const PAGE_ROWS = 500

interface OfMigration {
  readonly migration: string
}

/** Says that no migration is called so, and which there are. */
export function unknownMigration(name: string, known: readonly OfMigration[]): Problem {
  const names = [...new Set(known.map(({ migration }) => migration))]
  return problem('CLI_USAGE', `no migration "${name}"`, { hint: `one of: ${names.join(', ')}` })
}

/** By workload: its migration. */
export type MigrationsByWorkload = ReadonlyMap<string, string>

/** As a running service knows it. */
export async function migrationsOfService(client: Client): Promise<MigrationsByWorkload> {
  return new Map((await client.workloads()).map(({ name, migration }) => [name, migration]))
}

/** As a store's file knows it, by the plans that were pinned: a rollout that has not begun belongs to none there. */
export async function migrationsOfStore(path: string): Promise<MigrationsByWorkload> {
  const { openSqlite } = await import('../store/sqlite.ts')
  const { store } = openSqlite(path, { readOnly: true })
  try {
    const { plans } = await store.load()
    return new Map([...plans.values()].map(({ workload, migration }) => [workload, migration]))
  } finally {
    await store.close()
  }
}

/** Only the rows about this migration's workloads; `load` is asked again for a workload that was not there before. */
export async function journalOfMigration(
  reader: JournalReader,
  name: string,
  load: () => Promise<MigrationsByWorkload>,
): Promise<JournalReader> {
  const known = new Map<string, string | null>(await load())
  if (![...known.values()].includes(name))
    throw unknownMigration(
      name,
      [...known.values()].flatMap((migration) => (migration === null ? [] : [{ migration }])),
    )

  async function isMeant({ event: { workload } }: JournalRowJson): Promise<boolean> {
    if (workload === null) return false
    if (!known.has(workload)) {
      known.set(workload, null)
      for (const [one, migration] of await load()) known.set(one, migration)
    }
    return known.get(workload) === name
  }

  return {
    async page(query) {
      const rows: JournalRowJson[] = []
      let nextAfterSeq = query.afterSeq
      // One migration's rows may lie thinly among the others': many are looked at for a few.
      const limit = Math.max(query.limit, PAGE_ROWS)
      for (;;) {
        const page = await reader.page({ ...query, limit, afterSeq: nextAfterSeq })
        for (const row of page.rows) {
          if (rows.length === query.limit) return { rows, nextAfterSeq, lastSeq: page.lastSeq }
          if (await isMeant(row)) rows.push(row)
          nextAfterSeq = row.seq
        }
        if (page.rows.length < limit) return { ...page, rows, nextAfterSeq }
      }
    },
    async *follow(afterSeq, workload, signal) {
      for await (const row of reader.follow(afterSeq, workload, signal)) if (await isMeant(row)) yield row
    },
    close: () => reader.close(),
  }
}
