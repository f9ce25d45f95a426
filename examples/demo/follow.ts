import type { JournalRowJson, WorkloadJson } from '../../src/api/wire.ts'
import type { Client } from '../../src/cli/client.ts'
import { Problem } from '../../src/core/problem.ts'

const PAGE_ROWS = 200

/** What Headgate's API says at one moment. */
export interface Glance {
  readonly workloads: readonly WorkloadJson[]
  /** Journal rows that no glance has brought before. */
  readonly newRows: readonly JournalRowJson[]
}

/** True as soon as Headgate says that it is ready. */
export async function isReady(client: Client): Promise<boolean> {
  try {
    return (await client.status()).ready
  } catch (error) {
    // It is still starting; if it cannot, its process ends, which the demo notices.
    if (error instanceof Problem) return false
    throw error
  }
}

/** Follows a running Headgate over its public API, as any client could: each call tells what is new. */
export function createFollower(client: Client): () => Promise<Glance> {
  let afterSeq = 0

  async function newRows(): Promise<readonly JournalRowJson[]> {
    const rows: JournalRowJson[] = []
    while (true) {
      const page = await client.journal({ afterSeq, limit: PAGE_ROWS })
      rows.push(...page.rows)
      afterSeq = page.nextAfterSeq
      if (page.rows.length < PAGE_ROWS) return rows
    }
  }

  return async () => {
    // The workloads first: whatever shows in them is in the journal by then.
    const workloads = await client.workloads()
    return { workloads, newRows: await newRows() }
  }
}
