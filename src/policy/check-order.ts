import type { Finding } from './finding.ts'
import type { Workload } from './resolve.ts'
import { suggestion } from './suggest.ts'

/** `after`: each name exists, none is the workload's own, none is there twice, and no chain leads back. */
export function checkOrder(workloads: readonly Workload[]): Finding[] {
  const names = workloads.map(({ name }) => name)
  const wrong = workloads.flatMap(({ name, after }, index) =>
    after.flatMap((other, position): Finding[] => {
      const path = ['workloads', index, 'after', position]
      if (other === name) return [{ code: 'CONFIG_CYCLE', cause: `"${name}" waits for itself`, path }]
      if (!names.includes(other))
        return [
          {
            code: 'CONFIG_NOT_FOUND',
            cause: `no workload is called "${other}"`,
            hint: suggestion(
              other,
              names.filter((candidate) => candidate !== name),
            ),
            path,
          },
        ]
      if (after.indexOf(other) !== position)
        return [{ code: 'CONFIG_DUPLICATE', cause: `"${other}" is in the list twice`, path }]
      return []
    }),
  )
  return [...wrong, ...cycles(workloads)]
}

/** Each cycle once, told at the `after` of its first workload in the file. */
function cycles(workloads: readonly Workload[]): Finding[] {
  const byName = new Map(workloads.map((workload, index) => [workload.name, { workload, index }]))
  const done = new Set<string>()
  const found: Finding[] = []

  function walk(name: string, chain: readonly string[]): void {
    const at = chain.indexOf(name)
    // A workload that waits for itself is told above.
    if (at >= 0 && chain.length - at > 1) found.push(cycleFinding(chain.slice(at)))
    if (at >= 0 || done.has(name)) return
    for (const other of byName.get(name)?.workload.after ?? []) walk(other, [...chain, name])
    done.add(name)
  }

  function cycleFinding(cycle: readonly string[]): Finding {
    const indices = cycle.map((name) => byName.get(name)?.index ?? 0)
    const start = indices.indexOf(Math.min(...indices))
    const ordered = [...cycle.slice(start), ...cycle.slice(0, start)]
    const first = byName.get(ordered[0] ?? '')
    const next = first?.workload.after.indexOf(ordered[1] ?? '') ?? 0
    return {
      code: 'CONFIG_CYCLE',
      cause: `these workloads wait for each other: ${[...ordered, ordered[0]].join(' → ')}`,
      path: ['workloads', first?.index ?? 0, 'after', next],
    }
  }

  for (const { name } of workloads) walk(name, [])
  return found
}
