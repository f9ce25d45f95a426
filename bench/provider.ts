/**
 * The traffic provider of the benchmarks, a process of its own: `ROUTER_TOKEN=… node provider.ts '[["a", "b"], ["c"]]'`
 * serves each list of splits at a URL of its own, and sends the URLs to its parent.
 */
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { createSplitsServer } from '../examples/demo/splits.ts'

const scopes = z.array(z.array(z.string())).parse(JSON.parse(process.argv[2] ?? '[]'))
const token = z.string().min(1).parse(process.env['ROUTER_TOKEN'])

const urls: string[] = []
for (const names of scopes) {
  const server = createSplitsServer(new Map(names.map((name) => [name, { weightPercent: 0 }])), token)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  urls.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}
process.send?.({ urls })
