import { Resolver } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { Sides } from '../../src/core/plan.ts'
import { type ClusterService, startClusterService } from './cluster-service.ts'
import type { MigrationTraffic } from './migration.ts'
import { type RealPowerdns, startPowerdns } from './powerdns.ts'
import { NEW, OLD, recordOf } from './powerdns-scope.ts'
import { API_KEY, putRrsets, ZONE } from './powerdns-user.ts'
import { type RealPrometheus, startPrometheus } from './prometheus.ts'
import { CLUSTERS } from './world.ts'

/** The TTL of the plain records at first, and the one that the targets have while traffic moves, seconds. */
export const [FIRST_TTL_SECONDS, MOVING_TTL_SECONDS] = [3, 1]

const CLIENTS = 3
const PAUSE_MS = 40

/** A service in two clusters, a PowerDNS whose record leads clients to them, Prometheus scraping them. */
export interface DnsWorld {
  readonly powerdns: RealPowerdns
  readonly prometheus: RealPrometheus
  readonly service: Sides<ClusterService>
  /** What a migration needs to write there. */
  readonly traffic: MigrationTraffic
  readonly env: Readonly<Record<string, string>>
  /** Requests that no cluster answered well so far, and queries without an answer. */
  readonly failures: number
  stopLoad(): Promise<void>
  stop(): Promise<void>
}

/** Starts it all; what was started is ended again when the rest fails. */
export async function startDnsWorld(
  binaries: { readonly pdns: string; readonly prometheus: string },
  name: string,
): Promise<DnsWorld> {
  await using starting = new AsyncDisposableStack()
  const old = await startClusterService(name, CLUSTERS.old)
  starting.defer(old.stop)
  const fresh = await startClusterService(name, CLUSTERS.new)
  starting.defer(fresh.stop)
  const powerdns = await startPowerdns(binaries.pdns)
  starting.defer(powerdns.stop)
  await putRrsets(powerdns, [{ name: recordOf(name), type: 'A', contents: [OLD], ttl: FIRST_TTL_SECONDS }])
  const prometheus = await startPrometheus(binaries.prometheus, [
    { port: old.port, labels: { cluster: CLUSTERS.old } },
    { port: fresh.port, labels: { cluster: CLUSTERS.new } },
  ])
  starting.defer(prometheus.stop)
  const load = sendLoad(
    powerdns.nameserver,
    recordOf(name),
    new Map([
      [OLD, old.port],
      [NEW, fresh.port],
    ]),
  )
  starting.defer(load.stop)
  const everything = starting.move()
  return {
    powerdns,
    prometheus,
    service: { old, new: fresh },
    traffic: trafficOf(powerdns),
    env: { PDNS_API_KEY: API_KEY },
    get failures() {
      return load.failures()
    },
    stopLoad: load.stop,
    stop: () => everything.disposeAsync(),
  }
}

function trafficOf({ url, nameserver }: RealPowerdns): MigrationTraffic {
  return {
    providers: `{ powerdns: { url: "${url}", apiKey: "\${env:PDNS_API_KEY}", nameservers: ["${nameserver}"] } }`,
    of: (name) =>
      `{ powerdns: { zone: ${ZONE}, record: ${recordOf(name)}, old: ${OLD}, new: ${NEW}, ` +
      `ttl: ${MOVING_TTL_SECONDS}s, propagation: 0s } }`,
  }
}

/** Clients that ask DNS before each request, and reach the cluster that the address stands for. */
function sendLoad(nameserver: string, name: string, portOf: ReadonlyMap<string, number>) {
  const stopping = new AbortController()
  const agent = new Agent()
  const resolver = new Resolver({ timeout: 5000, tries: 4 })
  resolver.setServers([nameserver])
  let failures = 0
  let lastAddress = OLD
  const resolve = async () => {
    try {
      const [address = ''] = await resolver.resolve4(name)
      lastAddress = address
    } catch {
      // As a client does, it goes on with the address that it knows; that DNS failed is counted.
      failures += 1
    }
    return lastAddress
  }
  const sendOne = async () => {
    const address = await resolve()
    try {
      const { statusCode, body } = await request(`http://127.0.0.1:${portOf.get(address)}/`, { dispatcher: agent })
      await body.dump()
      if (statusCode >= 500) failures += 1
    } catch {
      // Whatever the reason, this client went away empty-handed.
      failures += 1
    }
  }
  const send = async () => {
    while (!stopping.signal.aborted) {
      await sendOne()
      await sleep(PAUSE_MS)
    }
  }
  const done = Promise.all(Array.from({ length: CLIENTS }, send)).then(() => agent.close())
  return {
    failures: () => failures,
    stop: () => {
      stopping.abort()
      return done
    },
  }
}
