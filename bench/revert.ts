/** How fast a whole fleet's traffic comes back over Route 53: see `about` below. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Children, createChildren } from '../examples/demo/children.ts'
import { FAKE_ACCESS_KEY } from '../test/fakes/route53.ts'
import { type House, type HouseWorkload, startHouse } from './house.ts'
import { atMost, type Findings, mediumOf, runBench } from './lib.ts'
import { Reverts } from './reverts.ts'
import { QUOTA, type Route53Process, startRoute53 } from './route53.ts'

/** An UPSERT counts twice, and a revert writes NEW's record alone. */
const REVERTS_PER_CALL = QUOTA.recordsPerCall / 2
const OTHERS_PER_ZONE = 10
const FLOOR_ZONE = 'ZFLOOR'
/** Forward calls that the others have still to make when the revert under load begins: it must not end before. */
const STILL_QUEUED = 60

const about = `
How fast a fleet's traffic comes back when everything must: **from the moment one order (an alert, or \`headgate revert --all\`)
is handed to the inbox to the provider's last acknowledgement** of NEW = 0. The engine is the service's own, with its SQLite store on
disk and the \`route53\` adapter with AWS's own client. Route 53 is the strict fake of the tests, another process on
loopback, at AWS's documented quotas (${QUOTA.perSecond} calls/s, ${QUOTA.burst} at once, ${QUOTA.recordsPerCall} records a call with an UPSERT counted twice), serial in a zone,
and with a latency of its own for each call. Every workload is at 25 %, with one A record for each cluster.

- **One zone.** The least possible is the calls that the quota of records makes necessary, one after the other, each as long as a bare
  call of the same size takes in the same run.
- **Many zones.** The least possible is what the account's calls a second allow, from a full bucket, and one bare call.
- **Under load.** The same revert in one zone while other workloads of the account are on their way to their first
  weight: more calls than the quota lets through are queued, for reads and for steps. They are in zones of their own; in the
  same zone a call that is under way must end first, since Route 53 takes one change of a zone at a time.

The worst of the rounds counts.
`

await runBench({
  name: 'revert',
  about,
  counts: { workloads: 1000, zones: 100, others: 2000, rounds: 3, latency: 250, pause: 6 },
  measure,
})

type Counts = Readonly<Record<'workloads' | 'zones' | 'others' | 'rounds' | 'latency' | 'pause', number>>

async function measure(counts: Counts, signal: AbortSignal): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  const children = createChildren(folder)
  const stopping = AbortSignal.any([signal, children.broken])
  process.env['AWS_ACCESS_KEY_ID'] = FAKE_ACCESS_KEY
  process.env['AWS_SECRET_ACCESS_KEY'] = 'of-no-use'
  try {
    const one = await oneZone(folder, children, counts, stopping)
    const many = await manyZones(folder, children, counts, stopping)
    return findings(one, many, { ...counts, store: mediumOf(folder) })
  } finally {
    await children.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One mass revert. */
interface MassRevert {
  readonly seconds: number
  readonly calls: number
  readonly settled: () => Promise<void>
}

interface OneZone {
  readonly calm: readonly MassRevert[]
  readonly loaded: readonly MassRevert[]
  readonly leastSeconds: number
  readonly bareCallSeconds: number
}

async function oneZone(folder: string, children: Children, counts: Counts, signal: AbortSignal): Promise<OneZone> {
  const route53 = await startRoute53(children, 'route53-one', counts.latency)
  const names = labels('workload', counts.workloads)
  await route53.seed([zoneSeed('ZMASS', 'mass.example', names), zoneSeed(FLOOR_ZONE, 'floor.example', names)])
  const house = await newHouse(join(folder, 'one.db'), route53, inZone('ZMASS', 'mass.example', names))
  try {
    const reverts = new Reverts(house, signal)
    const calm: MassRevert[] = []
    for (let round = 0; round < counts.rounds; round++) {
      await reverts.raise(names)
      await refilled(counts, signal)
      const measured = await massRevert(route53, reverts, names, ['ZMASS'])
      await measured.settled()
      calm.push(measured)
    }
    const bareCallSeconds = await bareCall(route53, names, { counts, signal })
    await reverts.raise(names)
    await refilled(counts, signal)
    const loaded = [await underLoad(route53, house, reverts, names, { counts, signal })]
    return { calm, loaded, bareCallSeconds, leastSeconds: Math.ceil(names.length / REVERTS_PER_CALL) * bareCallSeconds }
  } finally {
    await house.stop()
  }
}

async function underLoad(
  route53: Route53Process,
  house: House,
  reverts: Reverts,
  names: readonly string[],
  { counts, signal }: { counts: Counts; signal: AbortSignal },
): Promise<MassRevert> {
  const zones = Math.ceil(counts.others / OTHERS_PER_ZONE)
  const others = Array.from({ length: zones }, (_, index) => ({
    zone: `ZOTHER${index}`,
    domain: `other${index}.example`,
    names: labels(`other-${index}`, OTHERS_PER_ZONE),
  }))
  await route53.seed(others.map(({ zone, domain, names: members }) => zoneSeed(zone, domain, members)))
  await route53.forget()
  await house.add(others.flatMap(({ zone, domain, names: members }) => inZone(zone, domain, members)))
  const forwardCalls = async () => (await route53.changeCalls()).length
  // Some steps were let through, so the others stand in the queue behind them.
  while ((await forwardCalls()) < Math.min(5, zones)) {
    await house.sweepNow()
    await pause(500, signal)
  }
  const before = await forwardCalls()
  const measured = await massRevert(route53, reverts, names, ['ZMASS'])
  // What was called during the revert was in part the revert itself: at least so many are left.
  const left = zones - before - measured.calls
  // A run too small for a queue is none to judge by.
  if (zones > QUOTA.burst + STILL_QUEUED && left < STILL_QUEUED)
    throw new Error(`only ${left} of ${zones} forward calls were left when the revert ended: no load`)
  return measured
}

interface ManyZones {
  readonly reverts: readonly MassRevert[]
  readonly allowedSeconds: number
}

async function manyZones(folder: string, children: Children, counts: Counts, signal: AbortSignal): Promise<ManyZones> {
  const route53 = await startRoute53(children, 'route53-many', counts.latency)
  const perZone = Math.ceil(counts.workloads / counts.zones)
  const zones = Array.from({ length: counts.zones }, (_, index) => ({
    zone: `ZMANY${index}`,
    domain: `zone${index}.example`,
    names: labels(`workload-${index}`, perZone),
  }))
  await route53.seed([
    ...zones.map(({ zone, domain, names }) => zoneSeed(zone, domain, names)),
    zoneSeed(FLOOR_ZONE, 'floor.example', labels('workload', perZone)),
  ])
  const workloads = zones.flatMap(({ zone, domain, names }) => inZone(zone, domain, names))
  const house = await newHouse(join(folder, 'many.db'), route53, workloads)
  try {
    const reverts = new Reverts(house, signal)
    const names = workloads.map(({ name }) => name)
    await reverts.raise(names)
    await refilled(counts, signal)
    const bareCallSeconds = await bareCall(route53, labels('workload', perZone), { counts, signal })
    const measured = await massRevert(
      route53,
      reverts,
      names,
      zones.map(({ zone }) => zone),
    )
    const waitSeconds = Math.max(0, counts.zones - QUOTA.burst) / QUOTA.perSecond
    return { reverts: [measured], allowedSeconds: waitSeconds + bareCallSeconds }
  } finally {
    await house.stop()
  }
}

async function massRevert(
  route53: Route53Process,
  reverts: Reverts,
  names: readonly string[],
  zones: readonly string[],
): Promise<MassRevert> {
  await route53.forget()
  const { ms, settled } = await reverts.revertAll(names)
  const calls = (await route53.changeCalls()).length
  const left = await Promise.all(zones.map((zone) => route53.weightsLeft(zone)))
  if (left.some((count) => count > 0)) throw new Error(`${left} records of NEW still have a weight`)
  // The next round begins from what was read back; after the last nobody asks for it.
  return { seconds: ms / 1000, calls, settled }
}

/** The mean of as many bare calls as the revert needs, of its size. */
async function bareCall(
  route53: Route53Process,
  names: readonly string[],
  { counts, signal }: { counts: Counts; signal: AbortSignal },
): Promise<number> {
  await refilled(counts, signal)
  const batch = names.slice(0, REVERTS_PER_CALL).map((name) => `${name}.floor.example`)
  const spans = [await route53.bareCall(FLOOR_ZONE, batch), await route53.bareCall(FLOOR_ZONE, batch)]
  return spans.reduce((sum, ms) => sum + ms, 0) / spans.length / 1000
}

function newHouse(storePath: string, { url }: Route53Process, workloads: readonly HouseWorkload[]): Promise<House> {
  return startHouse({ storePath, workloads, env: {}, firstWeight: '25%', providers: { route53: { endpoint: url } } })
}

function labels(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`)
}

function zoneSeed(id: string, domain: string, names: readonly string[]) {
  return { id, domain, labels: names, weights: { old: 100, new: 0 } }
}

function inZone(zone: string, domain: string, names: readonly string[]): readonly HouseWorkload[] {
  // The wait for old TTLs is no part of a revert.
  return names.map((name) => ({
    name,
    traffic: { route53: { zone, record: `${name}.${domain}`, old: 'blue', new: 'green', ttl: 'keep' } },
  }))
}

/** Until both sides' buckets are full again, as they are before an alert: 6 s are enough from empty ones. */
function refilled({ pause: seconds }: Counts, signal: AbortSignal): Promise<void> {
  return pause(seconds * 1000, signal)
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  signal.throwIfAborted()
}

function findings(one: OneZone, many: ManyZones, setting: Readonly<Record<string, number | string>>): Findings {
  const worst = (reverts: readonly MassRevert[], key: 'seconds' | 'calls') =>
    Math.max(...reverts.map((each) => each[key]))
  const calmSeconds = worst(one.calm, 'seconds')
  const loadedSeconds = worst(one.loaded, 'seconds')
  const manySeconds = worst(many.reverts, 'seconds')
  return {
    targets: [
      atMost('mass_revert_calls', worst(one.calm, 'calls'), 'calls', 3),
      atMost('mass_revert_over_floor', calmSeconds / one.leastSeconds, 'times', 1.5),
      atMost('zones_revert_over_quota', manySeconds / many.allowedSeconds, 'times', 1.2),
      atMost('revert_under_load_ratio', loadedSeconds / calmSeconds, 'times', 1.2),
    ],
    details: {
      'Until the last acknowledgement, s': {
        'one zone': {
          count: one.calm.length,
          seconds: rounded(calmSeconds),
          'least possible': rounded(one.leastSeconds),
        },
        'one zone, under load': {
          count: one.loaded.length,
          seconds: rounded(loadedSeconds),
          'least possible': rounded(one.leastSeconds),
        },
        'many zones': {
          count: many.reverts.length,
          seconds: rounded(manySeconds),
          'least possible': rounded(many.allowedSeconds),
        },
      },
      'Calls that change records': {
        'one zone': { calls: worst(one.calm, 'calls') },
        'one zone, under load, with those of the others': { calls: worst(one.loaded, 'calls') },
        'many zones': { calls: worst(many.reverts, 'calls') },
      },
      'One bare call, s': { 'of a full batch': { seconds: rounded(one.bareCallSeconds) } },
      Setting: Object.fromEntries(Object.entries(setting).map(([name, value]) => [name, { value }])),
    },
  }
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
