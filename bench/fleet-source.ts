import { join } from 'node:path'
import { request } from 'undici'
import { z } from 'zod'
import type { Children } from '../examples/demo/children.ts'
import { SWEEP_SECONDS } from './fleet-world.ts'

const READY = z.object({ url: z.url() })
const STATS = z.object({ arrivalsMs: z.array(z.number()) })
const POLL_MS = 20

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
  const arrivals = async () => STATS.parse(await ask('/stats')).arrivalsMs
  return {
    url,
    forget: () => ask('/forget'),
    /** The queries of each sweep since `forget`, and how late the first of them came after the sweep was due, ms. */
    async sweepArrivals() {
      const bySweep = Map.groupBy(await arrivals(), (atMs) => Math.floor(atMs / (SWEEP_SECONDS * 1000)))
      return [...bySweep].map(([sweep, times]) => ({
        queries: times.length,
        latenessMs: Math.min(...times) - sweep * SWEEP_SECONDS * 1000,
      }))
    },
    /** When the first query since `forget` came, milliseconds since 1970. */
    async firstArrivalMs(signal: AbortSignal): Promise<number> {
      for (;;) {
        const [first] = await arrivals()
        if (first !== undefined) return first
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
        signal.throwIfAborted()
      }
    },
  }
}
