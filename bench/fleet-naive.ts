import { Agent, request } from 'undici'
import { migrationsOf } from './fleet-world.ts'

/** Queries under way at once. */
const CONNECTIONS = 8

/** CPU seconds of this process for one sweep of a loop that asks for each workload, SLI, cluster and count by itself. */
export async function naiveCpuSeconds(url: string, workloads: number): Promise<number> {
  const agent = new Agent({ connections: CONNECTIONS })
  const queries = migrationsOf(workloads, 1).flatMap(({ clusters, workloads: services }) =>
    services.flatMap((service) =>
      Object.values(clusters).flatMap((cluster) => {
        const labels = `naive="yes",cluster="${cluster}",service="${service}"`
        return ['POST', 'all', 'latency'].flatMap((what) => [
          `sum(increase(requests_total{${labels},sli="${what}"}[10s]))`,
          `sum(increase(requests_total{${labels},sli="${what}",code=~"5.."}[10s]))`,
        ])
      }),
    ),
  )
  const before = process.cpuUsage()
  const worker = async () => {
    for (let query = queries.pop(); query !== undefined; query = queries.pop()) {
      const answer = await request(`${url}/api/v1/query`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ query, time: `${Date.now() / 1000}` }).toString(),
      })
      await answer.body.json()
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  const { user, system } = process.cpuUsage(before)
  await agent.close()
  return (user + system) / 1e6
}
