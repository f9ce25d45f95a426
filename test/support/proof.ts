import type { HeadgateEvent, JournalRow } from '../../src/core/event.ts'
import type { Side } from '../../src/core/plan.ts'
import { serverWeights } from '../../src/traffic/haproxy/weights.ts'
import type { Tap } from './fault-proxy.ts'
import { eventsOf } from './migration.ts'

/**
 * What is wrong with the raises in a journal, a sentence each. Every one beyond the first needs a weight that came in force
 * after the one before was intended, stayed for `holdSeconds`, and passed every gate; and none is made while anything holds.
 */
export function unprovenRaises(rows: readonly JournalRow[], holdSeconds: number): readonly string[] {
  const faults: string[] = []
  const byWorkload = Map.groupBy(rows, ({ event }) => event.workload)
  for (const [workload, own] of byWorkload) {
    const holds = new Set<string>()
    let inForceAtMs: number | null = null
    let isReverting = false
    for (const { seq, event } of own) {
      if (event.type === 'hold-added') holds.add(event.hold.cause)
      if (event.type === 'hold-removed') holds.delete(event.cause)
      if (event.type === 'weight-in-force') inForceAtMs = event.atMs
      if (event.type === 'revert-started') isReverting = true
      if (event.type !== 'weight-intended') continue
      const { urgency, fromPercent, toPercent, evidence, atMs } = event
      const fault = (what: string) => faults.push(`row ${seq}: ${workload} to ${toPercent} %: ${what}`)
      if (urgency === 'forward' && toPercent > fromPercent) {
        if (isReverting) fault('a revert was under way')
        if (holds.size > 0) fault(`held by ${[...holds].join(', ')}`)
        if (fromPercent > 0 && inForceAtMs === null) fault('the weight before was not in force')
        if (fromPercent > 0 && inForceAtMs !== null && atMs - inForceAtMs < holdSeconds * 1000)
          fault(`in force for ${atMs - inForceAtMs} ms`)
        const open = evidence.filter(({ outcome }) => outcome !== 'pass')
        if (fromPercent > 0 && (evidence.length === 0 || open.length > 0))
          fault(`not passed: ${open.map(({ gate, outcome }) => `${gate} ${outcome}`).join(', ') || 'no gate at all'}`)
      }
      inForceAtMs = null
    }
  }
  return faults
}

/** Facts that were not acted on once: of those acknowledged none may be missing, and none at all may come twice. */
export function brokenFacts(rows: readonly JournalRow[], acknowledged: readonly string[]): readonly string[] {
  const taken = [...eventsOf(rows, 'command-done'), ...eventsOf(rows, 'command-refused')].map(({ factId }) => factId)
  const twice = taken.filter((id, index) => taken.indexOf(id) !== index).map((id) => `${id} was acted on twice`)
  const lost = acknowledged.filter((id) => !taken.includes(id)).map((id) => `${id} was acknowledged, and lost`)
  return [...twice, ...lost]
}

interface SetWeight {
  readonly backend: string
  readonly side: Side
  readonly weight: number
  readonly connection: number
}

/** Keeps every weight that HAProxy is told to set, in order. */
export function createWriteRecord() {
  const sets: SetWeight[] = []
  const started = new Map<number, string>()
  const tap: Tap = (text, connection) => {
    const lines = `${started.get(connection) ?? ''}${text}`.split('\n')
    started.set(connection, lines.pop() ?? '')
    for (const line of lines) {
      const [, backend = '', side, weight] = /^set server ([^/]+)\/(old|new) weight (\d+)$/.exec(line) ?? []
      if (side === 'old' || side === 'new') sets.push({ backend, side, weight: Number(weight), connection })
    }
  }
  return { sets: sets as readonly SetWeight[], tap }
}

/**
 * Where HAProxy was told other weights than the journal intended, or in another order; a sentence each. With NEW at 0 OLD has all
 * requests whatever its weight is: a process that was killed between the two commands of a revert has left nothing to be done.
 */
export function strayWrites(sets: readonly SetWeight[], rows: readonly JournalRow[]): readonly string[] {
  const workloads = new Set(rows.flatMap(({ event }) => event.workload ?? []))
  return [...workloads].flatMap((workload) =>
    (['old', 'new'] as const).flatMap((side) => {
      const told = sets.filter((one) => one.backend === workload && one.side === side).map(({ weight }) => weight)
      const intended = eventsOf(rows, 'weight-intended')
        .filter((event: HeadgateEvent) => event.workload === workload)
        .map(({ toPercent }) => serverWeights(toPercent)?.[side] ?? Number.NaN)
      const first = side === 'old' ? 100 : 0
      const [is, should] = [String(changesOf(first, told)), changesOf(first, intended)]
      const isMoot = side === 'old' && intended.at(-1) === 100
      const fitting = [should, ...(isMoot ? [should.slice(0, -1)] : [])]
      return fitting.map(String).includes(is)
        ? []
        : [`${workload}/${side} was told ${is}, and ${String(should)} was intended`]
    }),
  )
}

/** A write that is repeated changes nothing: a process that died before the answer has left it to the next one. */
function changesOf(first: number, weights: readonly number[]): readonly number[] {
  return weights.filter((weight, index) => weight !== (weights[index - 1] ?? first))
}

/** Connections that wrote again after another one had begun to: two writers. */
export function overlappingWriters(sets: readonly SetWeight[]): readonly string[] {
  return sets.flatMap(({ connection, backend }, index) => {
    const before = sets.slice(0, index)
    const last = before.findLastIndex((one) => one.connection === connection)
    const between = last < 0 ? [] : before.slice(last + 1)
    return between.length === 0
      ? []
      : [`${backend}: connection ${connection} wrote after ${between[0]?.connection} had`]
  })
}
