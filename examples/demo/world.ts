import { randomBytes, randomInt } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { z } from 'zod'
import { type Children, scriptPath } from './children.ts'
import { isFree } from './free-port.ts'

export const CLUSTERS = { old: 'blue', new: 'green' } as const
export const WORKLOADS = ['catalog', 'checkout', 'search'] as const
export type Workload = (typeof WORKLOADS)[number]

/** For each workload. */
export const REQUESTS_PER_SECOND = 100

/**
 * What the new cluster's services were given too little of. At 5 % of the traffic nothing shows; checkout needs a third
 * more database connections than it has at 10 %, and search's cache is too small for 25 %.
 */
const SHORTAGES: Readonly<Record<Workload, readonly string[]>> = {
  catalog: [],
  checkout: ['--connections-per-second', '7'],
  search: ['--cached-per-second', '15'],
}

/** The ports as headgate.yaml writes them, by what listens there. */
const TEMPLATE_PORTS = {
  'catalog-blue': 47101,
  'catalog-green': 47102,
  'checkout-blue': 47103,
  'checkout-green': 47104,
  'search-blue': 47105,
  'search-green': 47106,
  router: 47110,
  api: 47474,
}

/** Everything that runs: two clusters of services, a router before them, and Headgate. */
export interface World {
  readonly apiUrl: string
  /** An operator's token for the API, made for this run. */
  readonly apiToken: string
  /** Where users send their requests, by workload. */
  readonly trafficUrls: ReadonlyMap<Workload, string>
  /** The weights as the router itself has them. */
  weightsPercent(): Promise<ReadonlyMap<string, number>>
}

/** Starts it all on free ports of the loopback; `folder` takes the config, the store and the logs. */
export async function startWorld(children: Children, folder: string): Promise<World> {
  const services = await startServices(children)
  const routerToken = randomBytes(16).toString('hex')
  const router = await startRouter(children, services, routerToken)
  const apiPort = await freePort()
  const apiToken = randomBytes(16).toString('hex')
  const ports = { ...Object.fromEntries(services), router: router.controlPort, api: apiPort }
  const configPath = join(folder, 'headgate.yaml')
  writeFileSync(configPath, configText(ports))
  children.start({
    name: 'headgate',
    script: mainPath(),
    args: ['run', '--config', configPath],
    env: { HEADGATE_TOKEN: apiToken, ROUTER_TOKEN: routerToken },
  })
  return {
    apiUrl: `http://127.0.0.1:${apiPort}`,
    apiToken,
    trafficUrls: new Map(WORKLOADS.map((name) => [name, `http://127.0.0.1:${router.trafficPort}/${name}/`])),
    weightsPercent: () => readWeights(`http://127.0.0.1:${router.controlPort}`, routerToken),
  }
}

const ServiceReady = z.object({ port: z.int() })
const RouterReady = z.object({ trafficPort: z.int(), controlPort: z.int() })

/** Resolves with their ports, by workload and cluster as in `catalog-blue`. */
async function startServices(children: Children): Promise<ReadonlyMap<string, number>> {
  const starting = WORKLOADS.flatMap((name) =>
    Object.values(CLUSTERS).map(async (cluster): Promise<[string, number]> => {
      const id = `${name}-${cluster}`
      const args = ['--name', name, '--cluster', cluster, ...(cluster === CLUSTERS.new ? SHORTAGES[name] : [])]
      const child = children.start({ name: id, script: scriptPath('service'), args, env: {} })
      return [id, ServiceReady.parse(await children.ready(child)).port]
    }),
  )
  return new Map(await Promise.all(starting))
}

async function startRouter(children: Children, services: ReadonlyMap<string, number>, token: string) {
  const urlOf = (name: Workload, cluster: string) => `http://127.0.0.1:${services.get(`${name}-${cluster}`)}`
  const backends = Object.fromEntries(
    WORKLOADS.map((name) => [name, { old: urlOf(name, CLUSTERS.old), new: urlOf(name, CLUSTERS.new) }]),
  )
  const child = children.start({
    name: 'router',
    script: scriptPath('router'),
    args: [JSON.stringify(backends)],
    env: { ROUTER_TOKEN: token },
  })
  return RouterReady.parse(await children.ready(child))
}

/** headgate.yaml, with these ports in the place of its own. */
export function configText(ports: Readonly<Record<string, number>>): string {
  const template = readFileSync(new URL('./headgate.yaml', import.meta.url), 'utf8')
  return Object.entries(TEMPLATE_PORTS).reduce((text, [name, port]) => {
    const real = ports[name]
    if (real === undefined) throw new Error(`no port is known for ${name}`)
    return text.replaceAll(new RegExp(`(127\\.0\\.0\\.1:|port: )${port}\\b`, 'g'), `$1${real}`)
  }, template)
}

const Answer = z.object({ splits: z.record(z.string(), z.object({ weightPercent: z.number() })) })

async function readWeights(url: string, token: string): Promise<ReadonlyMap<string, number>> {
  const { body } = await request(`${url}/v1/splits`, { headers: { authorization: `Bearer ${token}` } })
  const { splits } = Answer.parse(await body.json())
  return new Map(Object.entries(splits).map(([name, { weightPercent }]) => [name, weightPercent]))
}

/** What runs Headgate's command line from anywhere, with the Node that runs now. */
export function headgateCommand(): string {
  return `${process.execPath} ${mainPath()}`
}

/** Headgate's own entry, in the sources or in `dist`. */
function mainPath(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return fileURLToPath(new URL(`../../src/main.${extension}`, import.meta.url))
}

/**
 * A port that nobody listens on, below those that systems give to whoever asks for any: so hardly somebody takes it before we do.
 * If somebody does, the demo fails, and says why.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000)
    if (await isFree(port)) return port
  }
}
