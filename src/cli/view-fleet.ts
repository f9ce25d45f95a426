import type { StatusJson, WorkloadJson } from '../api/wire.ts'
import type { FleetJson } from '../api/wire-fleet.ts'
import { clean, cut, paint, type Style, type WorkloadLine, wayText, workloadLines } from './view.ts'

type Line = WorkloadLine & Pick<WorkloadJson, 'migration'>

/**
 * The workloads' lines; where there are several migrations, each one's below its name, and where a migration has several
 * waves, each one's below its own. What stops a migration as a whole stands above its workloads.
 */
export function fleetLines(
  migrations: StatusJson['migrations'],
  workloads: readonly Line[],
  fleets: readonly FleetJson[],
  style: Style,
): string[] {
  const lines = workloadLines(workloads, style)
  const lineOf = new Map(workloads.map(({ name }, index) => [name, lines[index] ?? '']))
  const names = [...new Set([...migrations, ...workloads].map(({ migration }) => migration))]
  return names.flatMap((name) => {
    const known = migrations.find(({ migration }) => migration === name)
    const head = known ? wayText(known) : `${clean(name)}: no longer in the config`
    const own = workloads.filter(({ migration }) => migration === name).map((one) => one.name)
    const body = migrationLines(own, lineOf, fleets.find(({ migration }) => migration === name) ?? null, style)
    return names.length <= 1 ? body : ['', paint(cut(head, style.columns), 'strong', style), ...body]
  })
}

function migrationLines(
  names: readonly string[],
  lineOf: ReadonlyMap<string, string>,
  fleet: FleetJson | null,
  style: Style,
): string[] {
  const of = (some: readonly string[]) => some.flatMap((name) => lineOf.get(name) ?? [])
  if (!fleet) return of(names)
  const trouble = troubleLines(fleet, style)
  if (fleet.waves.length <= 1) return [...trouble, ...of(names)]
  const inWaves = fleet.waves.flatMap((wave) => [
    paint(cut(waveText(wave), style.columns), 'strong', style),
    ...of(names.filter((name) => wave.workloads.includes(name))),
  ])
  const others = names.filter((name) => !fleet.waves.some(({ workloads }) => workloads.includes(name)))
  return [...trouble, ...inWaves, ...of(others)]
}

/** `wave canaries: 1 of 3 done, 1 under way, 1 waiting`. */
function waveText({ name, workloads, counts }: FleetJson['waves'][number]): string {
  const { waiting, underWay, baked, reverted, cancelled } = counts
  const told = [
    [underWay, 'under way'],
    [reverted, 'reverted'],
    [waiting, 'waiting'],
  ] as const
  const others = told.filter(([count]) => count > 0).map(([count, word]) => `, ${count} ${word}`)
  return `wave ${clean(name)}: ${baked + cancelled} of ${workloads.length} done${others.join('')}`
}

function troubleLines({ breaker, signals }: FleetJson, style: Style): string[] {
  const tripped = breaker?.tripped ?? null
  const bad = signals.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'wait')
  return [
    ...(tripped === null ? [] : [paint(cut(`! breaker: ${clean(tripped)}`, style.columns), 'bad', style)]),
    ...bad.map(({ outcome, sentence }) =>
      paint(
        cut(`${outcome === 'blind' ? '?' : '!'} ${clean(sentence)}`, style.columns),
        outcome === 'blind' ? 'warn' : 'bad',
        style,
      ),
    ),
  ]
}
