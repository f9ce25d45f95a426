import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import type { Lease, StorePorts } from '../../src/ports/store.ts'
import { createMemoryStore } from '../../src/simulate/store.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { startRedis } from '../support/redis.ts'
import { requireServer } from '../support/servers.ts'
import { createStorePath } from './place.ts'
import { createRedisPlace } from './redis-place.ts'
import { sampleEvent, sampleFact, samplePlan, sampleState } from './samples.ts'

/** A store, and what it must be like. */
interface Pair {
  real: StorePorts
  readonly reopen: () => StorePorts | Promise<StorePorts>
}

type Model = { readonly memory: StorePorts; lease: Lease; nowMs: number }
type Command = fc.AsyncCommand<Model, Pair>

/** A command that does the same to both sides and wants the same answer, or the same refusal. */
function both(
  text: string,
  act: (ports: StorePorts, model: Model) => Promise<unknown>,
  learn: (answer: unknown, model: Model) => void = () => {},
): Command {
  return {
    check: () => true,
    toString: () => text,
    async run(model, pair) {
      const wanted = await settled(() => act(model.memory, model))
      expect(await settled(() => act(pair.real, model))).toEqual(wanted)
      learn(wanted, model)
    },
  }
}

async function settled(act: () => Promise<unknown>): Promise<unknown> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof Problem) return { refused: error.code }
    throw error
  }
}

const name = fc.constantFrom('a', 'b', 'c')
const names = fc.array(name, { maxLength: 3 })

const pass = fc.integer({ min: 0, max: 1_500 }).map(
  (ms): Command => ({
    check: () => true,
    toString: () => `pass(${ms})`,
    run: async (model) => {
      model.nowMs += ms
    },
  }),
)

const lease = fc.constantFrom('one', 'two').map((owner) =>
  both(
    `lease(${owner})`,
    (ports, { nowMs }) => ports.store.lease(owner, nowMs, 1_000),
    (answer, model) => {
      if (isLease(answer)) model.lease = answer
    },
  ),
)

const isLease = (answer: unknown): answer is Lease =>
  typeof answer === 'object' && answer !== null && 'owner' in answer && 'token' in answer

const release = fc.constant(both('release', (ports, model) => ports.store.release(model.lease)))

const put = name.map((id) => both(`put(${id})`, (ports) => ports.inbox.put(sampleFact(id))))

const commit = fc
  .record({
    behind: fc.constantFrom(0, 0, 0, 1, -1),
    tokenBehind: fc.constantFrom(0, 0, 0, 1),
    workloads: names,
    planHash: fc.constantFrom(null, 'p', 'q'),
    brings: fc.subarray(['p', 'q']),
    events: names,
    consumes: names,
    heldMs: fc.nat(),
  })
  .map((sketch) =>
    both(`commit(${JSON.stringify(sketch)})`, async (ports, { lease: { owner, token } }) => {
      const { revision } = await ports.store.load()
      return ports.store.commit({
        lease: { owner, token: token - sketch.tokenBehind },
        revision: revision - sketch.behind,
        rollouts: sketch.workloads.map((workload) =>
          sampleState(workload, { planHash: sketch.planHash, heldMs: sketch.heldMs }),
        ),
        plans: sketch.brings.map((hash) => samplePlan(hash)),
        events: sketch.events.map((workload) => sampleEvent(workload)),
        consumedFactIds: sketch.consumes,
      })
    }),
  )

const look = fc
  .record({ afterSeq: fc.nat(20), limit: fc.nat(20) })
  .map((page) =>
    both(`look(${JSON.stringify(page)})`, async ({ store, inbox, journal }) => [
      await store.load(),
      await inbox.pending(page.limit),
      await journal.read(page),
      await journal.read({ ...page, workload: 'a' }),
      await journal.lastSeq(),
      await journal.head(),
      await journal.verify(null),
    ]),
  )

const restart = fc.constant<Command>({
  check: () => true,
  toString: () => 'restart',
  async run(_, pair) {
    await pair.real.store.close()
    pair.real = await pair.reopen()
  },
})

interface ModelPlace {
  connect(): StorePorts | Promise<StorePorts>
  remove(): void | Promise<void>
}

async function answersAsTheModel(createPlace: () => ModelPlace, numRuns: number): Promise<void> {
  const commands = fc.commands([pass, lease, release, put, commit, commit, look, restart], { maxCommands: 40 })
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      const place = createPlace()
      const pair: Pair = { real: await place.connect(), reopen: () => place.connect() }
      try {
        const model = { memory: createMemoryStore(), lease: { owner: 'nobody', token: 0 }, nowMs: 0 }
        await fc.asyncModelRun(() => ({ model, real: pair }), sequence)
      } finally {
        await pair.real.store.close()
        await place.remove()
      }
    }),
    { numRuns },
  )
}

test('whatever is asked, in whatever order, SQLite answers as the model does', () =>
  answersAsTheModel(() => {
    const { path, remove } = createStorePath()
    return { connect: () => openSqlite(path), remove }
  }, 100))

const binary = requireServer('redis-server', 'the model of the store in Redis')

test.skipIf(binary === null)('and so does Redis', async () => {
  const redis = await startRedis(binary ?? '')
  try {
    await answersAsTheModel(() => createRedisPlace(redis), 100)
  } finally {
    await redis.stop()
  }
})
