import { join } from 'node:path'
import { request } from 'undici'
import { z } from 'zod'
import type { Children } from '../examples/demo/children.ts'

const READY = z.object({ url: z.url() })
const STATS = z.object({
  arrivals: z.array(z.object({ atMs: z.number(), migration: z.string() })),
  pastQueries: z.number(),
})
const POLL_MS = 20

export type FleetPrometheus = Awaited<ReturnType<typeof startFleetPrometheus>>

/** The fake Prometheus of the fleet, in another process. */
export async function startFleetPrometheus(children: Children, workloads: number, migrations: number) {
  const child = children.start({
    name: `prometheus-${workloads}-${migrations}`,
    script: join(import.meta.dirname, 'fleet-prometheus.ts'),
    args: [`${workloads}`, `${migrations}`],
    env: {},
  })
  const { url } = READY.parse(await children.ready(child))
  const ask = async (path: string): Promise<unknown> => (await request(`${url}${path}`)).body.json()
  const stats = async () => STATS.parse(await ask('/stats'))
  return {
    url,
    forget: () => ask('/forget'),
    /** From now on it tells nothing of the past. */
    amnesia: () => ask('/amnesia'),
    /** Queries about the past since `forget`. */
    pastQueries: async () => (await stats()).pastQueries,
    /** The queries of each sweep since `forget`, and how late each migration's first came after the sweep was due, ms. */
    async sweepArrivals(sweepSeconds: number) {
      const intervalMs = sweepSeconds * 1000
      const bySweep = Map.groupBy((await stats()).arrivals, ({ atMs }) => Math.floor(atMs / intervalMs))
      return [...bySweep].map(([sweep, arrivals]) => {
        const firsts = firstOfEach(arrivals)
        return { queries: arrivals.length, latenessMs: firsts.map((atMs) => atMs - sweep * intervalMs) }
      })
    },
    /** When each of the migrations had asked its first query since `forget`, milliseconds since 1970. */
    async allAskedAtMs(signal: AbortSignal): Promise<number> {
      for (;;) {
        const firsts = firstOfEach((await stats()).arrivals)
        if (firsts.length === migrations) return Math.max(...firsts)
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
        signal.throwIfAborted()
      }
    },
  }
}

type Arrivals = z.infer<typeof STATS>['arrivals']

function firstOfEach(arrivals: Arrivals): readonly number[] {
  const byMigration = Map.groupBy(arrivals, ({ migration }) => migration)
  return [...byMigration.values()].map((own) => Math.min(...own.map(({ atMs }) => atMs)))
}
