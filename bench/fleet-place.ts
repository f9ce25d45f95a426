import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Children } from '../examples/demo/children.ts'
import { type FleetPrometheus, startFleetPrometheus } from './fleet-source.ts'
import { configFiles, migrationsOf, type Setting } from './fleet-world.ts'
import { startRoute53 } from './route53.ts'

/** The quickest of the provider's calls, ms. */
const PROVIDER_LATENCY_MS = 50

export type Counts = Readonly<
  Record<'small' | 'medium' | 'large' | 'sweeps' | 'refills' | 'interval' | 'naive', number>
>

/** What a fleet is measured with. */
export interface FleetRun {
  readonly folder: string
  readonly children: Children
  readonly main: string
  readonly counts: Counts
  readonly signal: AbortSignal
}

/** What a fleet is run from, and around it. */
export interface FleetPlace {
  readonly prometheus: FleetPrometheus
  /** For `startFleet`. */
  readonly configPath: string
  readonly files: readonly { readonly file: string; readonly text: string }[]
  /** Of one of its processes. */
  logPath(name: string): string
}

export interface FleetSize {
  readonly workloads: number
  readonly migrations: number
}

/** The fakes of a fleet with all its records, and its config in a new folder. */
export async function layFleet(
  { workloads, migrations }: FleetSize,
  folder: string,
  children: Children,
  setting: Omit<Setting, 'providerUrl' | 'sourceUrl'>,
): Promise<FleetPlace> {
  const parts = migrationsOf(workloads, migrations)
  const prometheus = await startFleetPrometheus(children, workloads, migrations)
  const route53 = await startRoute53(children, `route53-${workloads}-${migrations}`, PROVIDER_LATENCY_MS)
  for (const { id, domain, labels } of parts.flatMap(({ zones }) => zones))
    await route53.seed([{ id, domain, labels, weights: { old: 75, new: 25 } }])
  mkdirSync(folder)
  const files = configFiles(parts, { ...setting, sourceUrl: prometheus.url, providerUrl: route53.url }).map(
    ({ file, text }) => ({ file: join(folder, file), text }),
  )
  for (const { file, text } of files) writeFileSync(file, text)
  const [only, ...others] = files
  return {
    prometheus,
    configPath: only && others.length === 0 ? only.file : folder,
    files,
    // Not in the folder, which Headgate watches.
    logPath: (name) => join(dirname(folder), `${name}-${workloads}.log`),
  }
}
