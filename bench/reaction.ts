/** How long a revert takes from the moment its fact is put into the inbox: see `about` below. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { type Children, createChildren } from '../examples/demo/children.ts'
import { type Floor, type FloorSpan, openFloor } from './floor.ts'
import { startHouse } from './house.ts'
import { atMost, type Findings, mediumOf, percentile, runBench, spread } from './lib.ts'
import { type RevertSpan, Reverts } from './reverts.ts'

const SCOPES = 10
const Ready = z.object({ urls: z.array(z.url()).length(SCOPES) })
const FLOOR_SPLIT = 'floor'
const TOKEN = 'token-of-the-benchmark'
/** Measured in vain first, so that both sides run compiled code over open connections. */
const WARM_UP = 50

const about = `
How long a revert takes, **from the moment its fact (a person's \`revert\`) is handed to the inbox to the provider's
acknowledgement** of the weight. The span holds everything between: the durable put into the inbox, the wake, thinking, the
durable commit of the decision, and the provider's answer to the write.

The engine is the service's own, with its SQLite store on disk (WAL, synchronous FULL), its timer, its writers and its \`http\`
traffic adapter; only the metric source is a stand-in that answers from memory, because no revert waits for a source. The
provider is another process on loopback. Sweeps go on at their default interval.

Reverts come one at a time: the next begins when the one before is read back and committed. Right after each one, **the floor** is
measured on the same machine, disk and provider: one durable commit of one small row, then one bare request of the same form
over a connection that is kept. The floor has one commit where a reaction has two: the fact must be durable before its sender gets
an answer, and the decision before it is acted on.

In the **storm** every workload gets its revert at the same moment, each measured from the one moment before the first.
`

await runBench({ name: 'reaction', about, counts: { reverts: 1000, workloads: 100 }, measure })

interface Counts {
  readonly reverts: number
  readonly workloads: number
}

async function measure(counts: Counts, signal: AbortSignal): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  const children = createChildren(folder)
  try {
    return await measureIn(folder, children, counts, AbortSignal.any([signal, children.broken]))
  } finally {
    await children.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureIn(folder: string, children: Children, counts: Counts, signal: AbortSignal): Promise<Findings> {
  const names = Array.from({ length: counts.workloads }, (_, index) => `workload-${index + 1}`)
  const scopes = Array.from({ length: SCOPES }, (_, scope) => names.filter((_, index) => index % SCOPES === scope))
  const provider = children.start({
    name: 'provider',
    script: join(import.meta.dirname, 'provider.ts'),
    args: [JSON.stringify(scopes.map((splits) => [...splits, FLOOR_SPLIT]))],
    env: { ROUTER_TOKEN: TOKEN },
  })
  const { urls } = Ready.parse(await children.ready(provider))
  const workloads = names.map((name, index) => ({
    name,
    traffic: { http: { url: urls[index % SCOPES] ?? '', split: name, token: '${env:ROUTER_TOKEN}' } },
  }))
  const floor = openFloor({ folder, url: urls[0] ?? '', token: TOKEN, split: FLOOR_SPLIT })
  try {
    const house = await startHouse({ storePath: join(folder, 'headgate.db'), workloads, env: { ROUTER_TOKEN: TOKEN } })
    try {
      const samples = await sample(new Reverts(house, signal), floor, names, counts.reverts)
      return findings(samples, { ...counts, scopes: SCOPES, store: mediumOf(folder) })
    } finally {
      await house.stop()
    }
  } finally {
    await floor.close()
  }
}

interface Samples {
  readonly reactions: readonly RevertSpan[]
  readonly floors: readonly FloorSpan[]
  readonly storm: readonly RevertSpan[]
}

async function sample(reverts: Reverts, floor: Floor, names: readonly string[], count: number): Promise<Samples> {
  const [reactions, floors]: [RevertSpan[], FloorSpan[]] = [[], []]
  while (reactions.length < count + WARM_UP) {
    await reverts.raise(names)
    for (const name of names) {
      reactions.push(await reverts.revert(name))
      // In turn, so that both see the same moods of the machine.
      floors.push(await floor.measure())
    }
  }
  await reverts.raise(names)
  const storm = await reverts.revertAtOnce(names)
  const measured = [WARM_UP, WARM_UP + count] as const
  return { reactions: reactions.slice(...measured), floors: floors.slice(...measured), storm }
}

function findings({ reactions, floors, storm }: Samples, setting: Readonly<Record<string, number | string>>): Findings {
  const of = <T>(samples: readonly T[], key: keyof T) => samples.map((one) => Number(one[key]))
  const p99 = (samples: readonly { readonly totalMs: number }[]) => percentile(of(samples, 'totalMs'), 99)
  return {
    targets: [atMost('reaction_p99_over_floor', p99(reactions) / p99(floors), 'times', 3)],
    details: {
      'One at a time, ms': {
        reaction: spread(of(reactions, 'totalMs')),
        'reaction: durable put into the inbox': spread(of(reactions, 'putMs')),
        'reaction: wake, think, durable commit': spread(of(reactions, 'decideMs')),
        'reaction: hand over to the writer': spread(of(reactions, 'handOverMs')),
        "reaction: the provider's answer": spread(of(reactions, 'writeMs')),
        floor: spread(of(floors, 'totalMs')),
        'floor: one durable commit': spread(of(floors, 'commitMs')),
        'floor: one bare request': spread(of(floors, 'requestMs')),
      },
      'Storm, ms': { 'reaction when all come at once': spread(of(storm, 'totalMs')) },
      Setting: Object.fromEntries(Object.entries(setting).map(([name, value]) => [name, { value }])),
    },
  }
}
