import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import type { JournalRow } from '../../src/core/event.ts'
import { explain } from '../../src/core/explain.ts'
import type { Journal } from '../../src/ports/store.ts'
import type { JournalHead } from '../../src/shared/journal-chain.ts'
import { type Chance, chanceOf } from '../support/chance.ts'
import { killInStart, type RunningHeadgate, startHeadgate } from '../support/headgate.ts'
import { eventsOf, storyOf } from '../support/migration.ts'
import { brokenFacts, overlappingWriters, strayWrites, unprovenRaises } from '../support/proof.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { findServers } from './case.ts'
import { HOLD_SECONDS, KILL_WEIGHTS_PERCENT, layOutKills } from './kill-case.ts'

const SERVERS = findServers('e2e kills')
const REDIS = requireServer('redis-server', 'e2e kills')
/** In all, of each store: as many migrations of twenty are made as it takes. Without it, a handful in a small one. */
const ASKED_KILLS = process.env['HEADGATE_KILLS']
const KILLS = Number(ASKED_KILLS ?? 2)
const SEED = Number(process.env['HEADGATE_KILL_SEED'] ?? 20261121)
const NAMES = Array.from({ length: ASKED_KILLS === undefined ? 6 : 20 }, (_, index) => `service-${index + 1}`)
/** Fail on NEW from their first request on. */
const BAD: readonly string[] = ['service-2', 'service-5']
/** Each kill may cost a lease, a start, and what is proven anew. */
const TIMEOUT_MS = 180_000 + KILLS * 60_000
const KILL_WITHIN_MS = 4_000
/** Shares of the kills: in a start, and of any one, which may be waiting for the lease. The rest is of the one that decides. */
const [IN_START, ANY_ONE] = [0.2, 0.2] as const
const START_WITHIN_MS = 1_500

const CASES = [
  ['SQLite', 1, null],
  ['three replicas on Redis', 3, REDIS],
] as const

describe.skipIf(SERVERS === null || REDIS === null)('kill -9 at random moments of a migration', () => {
  test.concurrent.for(CASES)(
    'with %s: raises are proven, events and writes come once, and the end is the same',
    { timeout: TIMEOUT_MS },
    async ([store, replicas, redisBinary]) => {
      const chance = chanceOf(SEED)
      process.stdout.write(`${store}: ${KILLS} kills, HEADGATE_KILL_SEED=${SEED}\n`)
      for (let done = 0; done < KILLS; ) {
        const killed = await migrate({ store, replicas, redisBinary, chance, kills: KILLS - done })
        done += killed
        process.stdout.write(`${store}: ${done} of ${KILLS} kills, all in order\n`)
      }
    },
  )
})

interface Attempt {
  readonly store: string
  readonly replicas: number
  readonly redisBinary: string | null
  readonly chance: Chance
  /** At most. */
  readonly kills: number
}

/** One migration, killed until it ends or it was killed often enough; resolves with the number of kills. */
async function migrate({ store, replicas, redisBinary, chance, kills }: Attempt): Promise<number> {
  if (SERVERS === null) throw new Error('a suite without its servers is skipped')
  await using ending = new AsyncDisposableStack()
  const { world, record, configPath, journal } = await layOutKills(SERVERS, NAMES, redisBinary, ending)
  for (const name of BAD) world.service(name).new.breakDown()

  const running: RunningHeadgate[] = []
  const endAll = () => Promise.all(running.map((one) => one.kill()))
  ending.defer(async () => void (await endAll()))
  for (let index = 0; index < replicas; index++) running.push(await startHeadgate(configPath))
  const people = commandNow(running, chance)
  const heads: JournalHead[] = []
  let killed = 0
  while (killed < kills && !isOver(await rowsOf(journal()))) {
    const moment = await killOne(running, configPath, chance)
    killed += 1
    const head = await journal().head()
    heads.push(head)
    process.stdout.write(`${store}: killed ${moment}; row ${head.seq}\n`)
  }
  const acknowledged = await people.end()
  await until(
    'all have ended',
    async () => isOver(await rowsOf(journal())),
    async () => [...(await rowsOf(journal())).map(told), ...running.map((one) => one.log())].join('\n'),
    TIMEOUT_MS,
  )
  // The last one may have come when all was over.
  const broken = async () => brokenFacts(await rowsOf(journal()), acknowledged)
  await until(
    'what people said is taken in',
    async () => (await broken()).length === 0,
    async () => (await broken()).join(', '),
  )
  await endAll()

  const rows = await rowsOf(journal())
  expect(outcomesOf(rows)).toEqual(EXPECTED)
  expect(unprovenRaises(rows, HOLD_SECONDS)).toEqual([])
  expect(brokenFacts(rows, acknowledged)).toEqual([])
  expect(strayWrites(record.sets, rows)).toEqual([])
  expect(overlappingWriters(record.sets)).toEqual([])
  expect(twice(rows)).toEqual([])
  for (const head of heads) expect((await journal().verify(head)).fault).toBeNull()
  return killed
}

/** What each goes through without any kill: the weights, and the phase at the end. */
const EXPECTED = Object.fromEntries(
  NAMES.map((name) => [
    name,
    BAD.includes(name) ? [KILL_WEIGHTS_PERCENT[0], 0, 'reverted'] : [...KILL_WEIGHTS_PERCENT, 'completed'],
  ]),
)

function outcomesOf(rows: readonly JournalRow[]) {
  return Object.fromEntries(
    NAMES.map((name) => {
      const own = rows.filter(({ event }) => event.workload === name)
      const weights = eventsOf(own, 'weight-intended').map(({ toPercent }) => toPercent)
      return [name, [...weights, eventsOf(own, 'phase-entered').at(-1)?.to]]
    }),
  )
}

/** What must come once, and came twice. */
function twice(rows: readonly JournalRow[]): readonly string[] {
  return NAMES.flatMap((name) => {
    const story = storyOf(rows.filter(({ event }) => event.workload === name))
    return story.filter((line, index) => story.indexOf(line) !== index).map((line) => `${name}: ${line}`)
  })
}

/** Kills one at a random moment, and starts it again; says which. The one that decides is the likeliest. */
async function killOne(running: RunningHeadgate[], configPath: string, chance: Chance): Promise<string> {
  const afterMs = Math.floor(chance() * KILL_WITHIN_MS)
  const [kind, who] = [chance(), chance()]
  if (kind < IN_START) {
    const startMs = Math.floor(who * START_WITHIN_MS)
    await killInStart(configPath, startMs)
    return `${startMs} ms into a start`
  }
  const isLeader = kind >= IN_START + ANY_ONE
  if (isLeader)
    await until(
      'one decides',
      async () => (await deciding(running)) !== null,
      () => logs(running),
    )
  await sleep(afterMs)
  const leader = isLeader ? await deciding(running) : null
  const index = leader ?? Math.floor(who * running.length)
  await running[index]?.kill()
  running[index] = await startHeadgate(configPath)
  return `${leader === null ? 'one of them' : 'the one that decides'}, at ${afterMs} ms`
}

/** Who tells of the workloads is who decides. */
async function deciding(running: readonly RunningHeadgate[]): Promise<number | null> {
  for (const [index, { url }] of running.entries()) {
    const answer = await request(`${url}/metrics`).catch(() => null)
    if ((await answer?.body.text())?.includes('headgate_phase{')) return index
  }
  return null
}

const COMMAND_EVERY_MS = 1_500
/** Seldom enough for the limit of changes a minute. */
const AGAIN_MS = 500

/** A person who pauses one workload after the other, and lets it go again; `end` resolves with what was acknowledged. */
function commandNow(running: readonly RunningHeadgate[], chance: Chance) {
  const stopping = new AbortController()
  const acknowledged: string[] = []
  /** False: nobody has answered, so it may be known or not. */
  const say = async (workload: string, command: 'pause' | 'resume') => {
    const first = Math.floor(chance() * running.length)
    for (const headgate of [...running.slice(first), ...running.slice(0, first)]) {
      try {
        acknowledged.push(await headgate.command(workload, command, 'a test'))
        return true
      } catch (error) {
        // It was killed meanwhile, or does not decide; or its store is away, and it says so.
        if (error instanceof Error && / 4\d\d /.test(error.message)) throw error
      }
    }
    await sleep(AGAIN_MS)
    return false
  }
  const work = async () => {
    for (let turn = 0; !stopping.signal.aborted; turn++) {
      const workload = NAMES[turn % NAMES.length] ?? ''
      await say(workload, 'pause')
      await sleep(COMMAND_EVERY_MS)
      await until(`${workload} goes on`, () => say(workload, 'resume'))
    }
  }
  const ended = work()
  ended.catch(() => {})
  return {
    end: async () => {
      stopping.abort()
      await ended
      return acknowledged
    },
  }
}

function isOver(rows: readonly JournalRow[]): boolean {
  const outcomes = Object.values(outcomesOf(rows)).map((story) => story.at(-1))
  return outcomes.every((phase) => phase === 'completed' || phase === 'reverted')
}

async function rowsOf(journal: Journal): Promise<readonly JournalRow[]> {
  return journal.read({ afterSeq: 0, limit: 100_000 })
}

function told({ seq, event }: JournalRow): string {
  return `${seq} ${event.workload ?? ''}: ${explain(event)}`
}

function logs(running: readonly RunningHeadgate[]): string {
  return running.map((one) => one.log()).join('\n')
}
