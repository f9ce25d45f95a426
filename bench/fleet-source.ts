import { join } from 'node:path'
import { request } from 'undici'
import { z } from 'zod'
import type { Children } from '../examples/demo/children.ts'

const READY = z.object({ url: z.url() })
const STATS = z.object({ arrivalsMs: z.array(z.number()), pastQueries: z.number() })
const POLL_MS = 20

export type FleetPrometheus = Awaited<ReturnType<typeof startFleetPrometheus>>

/** The fake Prometheus of the fleet, in another process. */
export async function startFleetPrometheus(children: Children, workloads: number) {
  const child = children.start({
    name: `prometheus-${workloads}`,
    script: join(import.meta.dirname, 'fleet-prometheus.ts'),
    args: [`${workloads}`],
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
    /** The queries of each sweep since `forget`, and how late the first of them came after the sweep was due, ms. */
    async sweepArrivals(sweepSeconds: number) {
      const bySweep = Map.groupBy((await stats()).arrivalsMs, (atMs) => Math.floor(atMs / (sweepSeconds * 1000)))
      return [...bySweep].map(([sweep, times]) => ({
        queries: times.length,
        latenessMs: Math.min(...times) - sweep * sweepSeconds * 1000,
      }))
    },
    /** When the first query since `forget` came, milliseconds since 1970. */
    async firstArrivalMs(signal: AbortSignal): Promise<number> {
      for (;;) {
        const [first] = (await stats()).arrivalsMs
        if (first !== undefined) return first
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
        signal.throwIfAborted()
      }
    },
  }
}
