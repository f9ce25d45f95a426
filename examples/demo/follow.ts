import { request } from 'undici'
import { z } from 'zod'
import { type JournalRowJson, journalPageSchema, type WorkloadJson, workloadSchema } from '../../src/api/wire.ts'

const PAGE_ROWS = 200
const ANSWER_SECONDS = 5

/** What Headgate's API says at one moment. */
export interface Glance {
  readonly workloads: readonly WorkloadJson[]
  /** Journal rows that no glance has brought before. */
  readonly newRows: readonly JournalRowJson[]
}

/** Follows a running Headgate over its public API, as any client could. */
export interface Follower {
  /** True as soon as Headgate says that it is ready. */
  isReady(signal: AbortSignal): Promise<boolean>
  look(signal: AbortSignal): Promise<Glance>
}

const WorkloadsAnswer = z.object({ workloads: z.array(workloadSchema) })

export function createFollower(apiUrl: string, apiToken: string): Follower {
  let afterSeq = 0

  async function get(path: string, signal: AbortSignal): Promise<unknown> {
    const { statusCode, body } = await request(`${apiUrl}${path}`, {
      headers: { authorization: `Bearer ${apiToken}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_SECONDS * 1000)]),
    })
    if (statusCode === 200) return body.json()
    throw new Error(`Headgate answers ${path} with ${statusCode}: ${await body.text()}`)
  }

  async function newRows(signal: AbortSignal): Promise<readonly JournalRowJson[]> {
    const rows: JournalRowJson[] = []
    while (true) {
      const page = journalPageSchema.parse(await get(`/api/v1/journal?afterSeq=${afterSeq}&limit=${PAGE_ROWS}`, signal))
      rows.push(...page.rows)
      afterSeq = page.nextAfterSeq
      if (page.rows.length < PAGE_ROWS) return rows
    }
  }

  return {
    isReady: (signal) =>
      get('/readyz', signal).then(
        () => true,
        () => false,
      ),
    async look(signal) {
      // The workloads first: their rows were committed before, so no change is shown that the journal does not tell.
      const { workloads } = WorkloadsAnswer.parse(await get('/api/v1/workloads', signal))
      return { workloads, newRows: await newRows(signal) }
    },
  }
}
