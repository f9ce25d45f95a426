import { readFileSync, writeFileSync } from 'node:fs'
import { openSqlite } from '../../src/store/sqlite.ts'
import { sampleCommit } from '../store/samples.ts'
import type { Recording } from './play.ts'

/** A line for each part, so that a new recording can be compared with the one before. */
const FILE = new URL('recorded.jsonl', import.meta.url)

type Line =
  | Pick<Recording, 'madeAtMs' | 'served'>
  | { readonly row: Recording['rows'][number] }
  | { readonly rollout: Recording['rollouts'][number] }
  | { readonly plan: Recording['plans'][number] }

export function keepRun({ rows, rollouts, plans, ...rest }: Recording): void {
  const lines: Line[] = [
    rest,
    ...rows.map((row) => ({ row })),
    ...rollouts.map((rollout) => ({ rollout })),
    ...plans.map((plan) => ({ plan })),
  ]
  writeFileSync(FILE, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** A run of `playMigration`, as it was once: what core says of such a run later does not change it. */
export function recordedRun(): Recording {
  const lines = readFileSync(FILE, 'utf8').trimEnd().split('\n')
  const parsed = lines.map((line): Line => JSON.parse(line))
  const [head] = parsed.flatMap((line) => ('madeAtMs' in line ? [line] : []))
  if (!head) throw new Error('the recording has no head')
  return {
    ...head,
    rows: parsed.flatMap((line) => ('row' in line ? [line.row] : [])),
    rollouts: parsed.flatMap((line) => ('rollout' in line ? [line.rollout] : [])),
    plans: parsed.flatMap((line) => ('plan' in line ? [line.plan] : [])),
  }
}

/** Writes a run into a new store, as the service does. */
export async function storeRun(path: string, { rows, rollouts, plans }: Recording): Promise<void> {
  const { store } = openSqlite(path)
  const lease = await store.lease('one', 0, 1_000)
  await store.commit(sampleCommit({ lease, revision: 0, rollouts, plans, events: rows.map(({ event }) => event) }))
  await store.close()
}
