import { Problem } from '../../src/core/problem.ts'
import type { Lease } from '../../src/ports/store.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { sampleEvent, sampleFact, samplePlan, sampleState } from './samples.ts'

/**
 * A process that commits in a loop until it is killed. Each commit n puts a fact `OWNER-n`, consumes it, sets the rollout
 * to `heldMs: n` and appends two events with the reason n; after it, the line `n` goes to stdout. It begins where the
 * store stands.
 */
/** Big states of many sizes: a checkpoint of the log falls into the run, too. */
const PADDING = 150_000

const [path = '', owner = ''] = process.argv.slice(2)
const { store, inbox, journal } = openSqlite(path)
const lease = await takeLease()

for (;;) {
  const { revision } = await store.load()
  const count = revision + 1
  const planHash = `plan-${count % 5}`
  await inbox.put(sampleFact(`${owner}-${count}`))
  const { rows } = await store.commit({
    lease,
    revision,
    rollouts: [sampleState('checkout', { heldMs: count, planHash, runId: 'x'.repeat((count * 9_973) % PADDING) })],
    plans: [samplePlan(planHash)],
    events: [sampleEvent('checkout', String(count)), sampleEvent(null, String(count))],
    consumedFactIds: [`${owner}-${count}`],
  })
  if (rows.length !== 2 || (await journal.lastSeq()) !== rows[1]?.seq) throw new Error('the commit told lies')
  process.stdout.write(`${count}\n`)
}

/** A rival that commits without a pause may keep the lock for longer than one call waits. */
async function takeLease(): Promise<Lease> {
  for (;;) {
    try {
      return await store.lease(owner, Date.now(), 60_000)
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'STORE_BUSY')) throw error
    }
  }
}
