import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { describe, expect, type TestContext, test } from 'vitest'
import type { EventType, JournalRow } from '../../src/core/event.ts'
import { explain } from '../../src/core/explain.ts'
import type { Report } from '../../src/report/model.ts'
import { API_LIMITS, type RunningHeadgate, TOKEN } from '../support/headgate.ts'
import { type EventOf, eventsOf, haproxyTraffic, layOut, type Migration, SWEEP_SECONDS } from '../support/migration.ts'
import { until } from '../support/until.ts'
import { CLUSTERS, sendLoad, startWorld, type World } from '../support/world.ts'
import { findServers } from './case.ts'

const SERVERS = findServers('e2e fleet')

/** Three waves of twelve; within the second, search waits for catalog, and the last one for one of the others to make room. */
const WAVES = {
  canaries: ['mailer'],
  reading: ['catalog', 'search', 'images', 'reviews', 'prices', 'login', 'billing'],
  writing: ['cart', 'checkout', 'orders', 'stock'],
} as const
const NAMES: readonly string[] = Object.values(WAVES).flat()
/** Fails on NEW from its first request on. */
const BAD = 'reviews'
/** Wants a person before its last step. */
const ASKING = 'checkout'
const WEIGHTS_PERCENT = [50, 100] as const
const CONCURRENCY = 5
const REQUESTS_PER_SECOND = 40
/** How long nothing may be raised in the middle of it all. */
const FREEZE_SECONDS = 10
const FREEZE_AFTER_SECONDS = 25

const LOOK_MS = 250

/** Twelve workloads take a while: each has to hold its steps, and waves come one after the other. */
const VERY_PATIENT = { timeout: 900_000 }

describe.skipIf(SERVERS === null)('a fleet of twelve behind HAProxy, judged by Prometheus', () => {
  test.concurrent('ends as planned, and its report says what the backends counted', VERY_PATIENT, async (context) => {
    if (SERVERS === null) throw new Error('skipped without its servers')
    const world = await startWorld(SERVERS, NAMES, { requestsPerSecond: 0 })
    context.onTestFinished(world.stop)
    world.service(BAD).new.breakDown()
    // The config has whole seconds.
    const fromMs = Math.floor(Date.now() / 1000) * 1000 + FREEZE_AFTER_SECONDS * 1000
    const freeze = { fromMs, toMs: fromMs + FREEZE_SECONDS * 1000 }
    const migration = layOut(configText(world, freeze))
    context.onTestFinished(migration.stop)
    const headgate = await migration.start()
    const told = tellFrom(migration, context)
    const loads = NAMES.map((name) => loadWhileItMoves(name, world, told, context))

    await told(BAD, 'revert-confirmed')
    // The wave after it waits until a person has decided about it.
    await until('the last wave waits for the one that reverted', async () => {
      const waiting = await statusOf(headgate, 'cart')
      return waiting.phase === 'waiting' && waiting.why.includes(BAD)
    })
    await headgate.command(BAD, 'cancel', 'mended another day')
    await told(ASKING, 'hold-added', ({ hold }) => hold.cause === 'approval')
    await headgate.command(ASKING, 'approve', 'looks good')
    const moved = NAMES.filter((name) => name !== BAD)
    for (const name of moved) await told(name, 'phase-entered', ({ to }) => to === 'completed')
    await Promise.all(loads)

    const rows = await migration.journal()
    expect(movedInOrder(rows, moved)).toEqual([])
    expect(startsInOrder(rows)).toEqual([])
    expect(mostAtOnce(rows)).toBeLessThanOrEqual(CONCURRENCY)
    expect(raisesWithin(rows, freeze), 'nothing is raised in the freeze').toEqual([])
    expect(eventsOf(rows, 'hold-added').some(({ hold }) => hold.cause === 'window')).toBe(true)

    // What was served just before an end is scraped after it: the report is whole a minute later.
    const report = await until(
      'a report that has counted all',
      async () => {
        const made = await reportOf(headgate)
        return difference(made, world).length === 0 ? made : null
      },
      async () => JSON.stringify(difference(await reportOf(headgate), world)),
    )
    expect(report.workloads.map(({ workload, phase }) => [workload, phase])).toEqual(
      NAMES.map((name) => [name, name === BAD ? 'cancelled' : 'completed']),
    )
    const answer = await decommissionOf(headgate)
    expect(answer.workloads.filter(({ mayGo }) => !mayGo).map(({ workload }) => workload)).toEqual([BAD])
    expect(answer.mayGo).toBe(false)
  })
})

function configText({ prometheus, haproxy }: World, freeze: { fromMs: number; toMs: number }): string {
  const traffic = haproxyTraffic(haproxy.socketName)
  const moment = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z/, 'Z')
  const waves = Object.entries(WAVES).map(([name, members]) => `{ name: ${name}, workloads: [${members.join(', ')}] }`)
  const workloads = NAMES.map((name) => {
    const more = name === 'search' ? ', after: [catalog]' : name === ASKING ? ', policy: asking' : ''
    return `  - { name: ${name}${more}, traffic: ${traffic.of(name)} }`
  })
  const steps = (last: string) =>
    `[{ weight: ${WEIGHTS_PERCENT[0]}%, hold: 2s }, { weight: ${WEIGHTS_PERCENT[1]}%, hold: 2s${last} }]`
  return `apiVersion: headgate/v1
migration: fleet
clusters: { old: ${CLUSTERS.old}, new: ${CLUSTERS.new} }
sweep: ${SWEEP_SECONDS}s
api: { port: 0, ${API_LIMITS}, tokens: [{ name: ada, role: operator, approves: [leads], token: "\${env:E2E_TOKEN}" }] }
sources:
  prometheus: { url: "${prometheus.url}" }
slis:
  availability: { objective: 99%, total: http_requests_total, bad: 'http_requests_total{code=~"5.."}' }
calendar: { freezes: [{ name: release party, from: ${moment(freeze.fromMs)}, to: ${moment(freeze.toMs)} }] }
fleet:
  waves: [${waves.join(', ')}]
  concurrency: ${CONCURRENCY}
policies:
  quick:
    steps: ${steps('')}
    minRequests: 10
    bake: 2s
    drain: 5s
    blindAfter: 5s
    burnRate: [{ long: 8s, short: 4s, factor: 14.4, then: revert }]
    share: { tolerance: 15% }
    proof: { need: 4, plusBudgets: 10 }
  asking: { extends: quick, steps: ${steps(', approval: { roles: [leads] }')} }
policy: quick
workloads:
${workloads.join('\n')}
`
}

/** Resolves once the journal has the workload's event. */
type Told = <T extends EventType>(name: string, type: T, fits?: (event: EventOf<T>) => boolean) => Promise<void>

/** Reads the journal for all who wait, since each look reads it whole. */
function tellFrom(migration: Migration, { onTestFinished }: TestContext): Told {
  let rows: readonly JournalRow[] = []
  const stopping = new AbortController()
  onTestFinished(() => stopping.abort())
  const reading = async () => {
    while (!stopping.signal.aborted) {
      rows = await migration.journal()
      await sleep(LOOK_MS)
    }
  }
  void reading()
  const story = () => rows.map(({ event }) => `${event.workload ?? ''}: ${explain(event)}`).join('\n')
  return async (name, type, fits = () => true) => {
    const isThere = () => eventsOf(rows, type).some((event) => event.workload === name && fits(event))
    await until(`${name}: ${type}`, isThere, story, VERY_PATIENT.timeout)
  }
}

/** Traffic from the rollout's start until nobody needs it any more: so that all of it falls into what the report counts. */
async function loadWhileItMoves(
  name: string,
  { haproxy }: World,
  told: Told,
  { onTestFinished }: TestContext,
): Promise<void> {
  // By then the source is read: what came before its first answer would be counted by nobody.
  await told(name, 'phase-entered', ({ to }) => to === 'preparing')
  const stop = sendLoad(haproxy, [name], REQUESTS_PER_SECOND)
  onTestFinished(stop)
  await told(name, 'phase-entered', ({ to }) => to === 'draining' || to === 'reverted')
  await stop()
}

interface Status {
  readonly workload: string
  readonly phase: string
  readonly why: string
}

async function statusOf(headgate: RunningHeadgate, name: string): Promise<Status> {
  const { workload, phase, why } = (await ask(headgate, `/workloads/${name}`)) as Status & { phase: { name: string } }
  return { workload, phase: phase.name, why }
}

async function reportOf(headgate: RunningHeadgate): Promise<Report> {
  return (await ask(headgate, '/report?format=json')) as Report
}

async function decommissionOf(headgate: RunningHeadgate) {
  return (await ask(headgate, '/decommission')) as {
    readonly mayGo: boolean
    readonly workloads: readonly { readonly workload: string; readonly mayGo: boolean }[]
  }
}

async function ask({ url }: RunningHeadgate, path: string): Promise<unknown> {
  const answer = await request(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const text = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text}`)
  return JSON.parse(text)
}

/** Where the report says something else than the backends counted, a sentence each. */
function difference({ workloads }: Report, world: World): readonly string[] {
  return workloads.flatMap(({ workload, served }) => {
    const { old, new: fresh } = world.service(workload)
    const counted = {
      old: { total: old.requests, bad: old.failures },
      new: { total: fresh.requests, bad: fresh.failures },
    }
    const told = served.find(({ sli }) => sli === 'availability')?.counts ?? null
    return JSON.stringify(told) === JSON.stringify(counted)
      ? []
      : [`${workload}: the report says ${JSON.stringify(told)}, the backends ${JSON.stringify(counted)}`]
  })
}

/** Who went through other weights than planned. */
function movedInOrder(rows: readonly JournalRow[], moved: readonly string[]): readonly string[] {
  return NAMES.filter((name) => {
    const weights = eventsOf(rows, 'weight-intended').filter(({ workload }) => workload === name)
    const planned = moved.includes(name) ? WEIGHTS_PERCENT : [WEIGHTS_PERCENT[0], 0]
    return JSON.stringify(weights.map(({ toPercent }) => toPercent)) !== JSON.stringify(planned)
  })
}

/** Who started before somebody that had to bake, or to be cancelled, first. */
function startsInOrder(rows: readonly JournalRow[]): readonly string[] {
  const place = (fits: (row: JournalRow) => boolean) => rows.findIndex(fits)
  const doneAt = (name: string) =>
    place(
      ({ event }) =>
        event.workload === name &&
        event.type === 'phase-entered' &&
        (event.to === 'draining' || event.to === 'cancelled'),
    )
  const startedAt = (name: string) => place(({ event }) => event.workload === name && event.type === 'plan-pinned')
  const waves: readonly (readonly string[])[] = Object.values(WAVES)
  const before = (name: string) => {
    const index = waves.findIndex((members) => members.includes(name))
    return [...(waves[index - 1] ?? []), ...(name === 'search' ? ['catalog'] : [])]
  }
  return NAMES.filter((name) => before(name).some((other) => doneAt(other) < 0 || doneAt(other) > startedAt(name)))
}

/** Workloads that were under way at the same time, at most. */
function mostAtOnce(rows: readonly JournalRow[]): number {
  const underWay = new Set<string>()
  let most = 0
  for (const { event } of rows) {
    if (event.workload === null) continue
    if (event.type === 'plan-pinned') underWay.add(event.workload)
    if (event.type === 'phase-entered' && ['draining', 'reverted', 'cancelled'].includes(event.to))
      underWay.delete(event.workload)
    most = Math.max(most, underWay.size)
  }
  return most
}

function raisesWithin(rows: readonly JournalRow[], { fromMs, toMs }: { fromMs: number; toMs: number }) {
  const raises = eventsOf(rows, 'weight-intended').filter(({ urgency }) => urgency === 'forward')
  return raises.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
}
