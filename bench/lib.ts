/**
 * The one shape of all benchmarks: `npm run -s bench:NAME -- --json` prints a report as its last line, without `--json` a
 * table. docs/benchmarks/README.md says how to read them.
 */
import { statfsSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** What one run measured. */
export interface Report extends Findings {
  readonly bench: string
  readonly machine: Machine
}

export interface Findings {
  readonly targets: readonly Target[]
  /** By table: its rows by name, and their columns by name. */
  readonly details: Readonly<Record<string, Table>>
}

/** Findings with the pictures that belong to their page. */
export interface Illustrated extends Findings {
  /** SVG texts by file name; written beside the page, and no part of the report. */
  readonly pictures: Readonly<Record<string, string>>
}

/** A figure that is held to something. */
export interface Target {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What `value` is held to; `ok` says whether it is met. */
  readonly target: number
  readonly ok: boolean
}

export type Table = Readonly<Record<string, Readonly<Record<string, number | string>>>>

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly node: string
  readonly platform: string
}

export interface Bench<Name extends string> {
  readonly name: string
  /** What is measured and how, for the page: Markdown. */
  readonly about: string
  /** Options with a whole number ≥ 1, and their defaults. */
  readonly counts: Readonly<Record<Name, number>>
  /** What `--full` makes of them: a long run for figures to be quoted. */
  readonly full?: Readonly<Partial<Record<Name, number>>>
  /** Ends a run that hangs, minutes; by default 10. A full one has 90. */
  readonly longestMinutes?: number
  /** Measures. Aborted on Ctrl-C, or when it takes far too long, it cleans up and rejects. */
  measure(counts: Readonly<Record<Name, number>>, signal: AbortSignal): Promise<Findings | Illustrated>
}

/** Ends a run that hangs. */
const LONGEST_MINUTES = { usual: 10, full: 90 } as const
/** `f_type` of a file system in memory (linux/magic.h), where a durable commit costs nothing. */
const TMPFS_TYPE = 0x01021994

/**
 * Runs a benchmark from the command line: `--json`, `--write` (its page in docs/benchmarks), and its counts. The exit
 * code is 0 when every target is met, 1 when one is missed, 2 when nothing could be measured.
 */
export async function runBench<Name extends string>(bench: Bench<Name>): Promise<void> {
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stopping.abort(new Error(`ended by ${name}`)))
  try {
    const { json, write, longestMs, counts } = readOptions(bench)
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(longestMs)])
    const { targets, details, ...rest } = await bench.measure(counts, signal)
    const report: Report = { bench: bench.name, machine: thisMachine(), targets, details }
    if (write) {
      writeFileSync(besidePage(`${bench.name}.md`), page(report, bench.about))
      const pictures = 'pictures' in rest ? rest.pictures : {}
      for (const [file, svg] of Object.entries(pictures)) writeFileSync(besidePage(file), svg)
    }
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${terminalLines(report).join('\n')}\n`)
    process.exitCode = report.targets.every(({ ok }) => ok) ? 0 : 1
  } catch (error) {
    process.stderr.write(`bench:${bench.name}: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`)
    process.exitCode = 2
  }
}

/** A target that `value` must not exceed. */
export function atMost(name: string, value: number, unit: string, target: number): Target {
  return { name, value: rounded(value), unit, target, ok: value <= target }
}

/** A target that `value` must reach. */
export function atLeast(name: string, value: number, unit: string, target: number): Target {
  return { name, value: rounded(value), unit, target, ok: value >= target }
}

/** The smallest sample that `percent` % of the samples do not exceed (nearest rank); NaN: no samples. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1] ?? Number.NaN
}

/** A row of a details table: how many samples, and how they are spread. */
export function spread(samples: readonly number[]): Readonly<Record<string, number>> {
  const at = (percent: number) => rounded(percentile(samples, percent))
  return { count: samples.length, p50: at(50), p90: at(90), p99: at(99), max: at(100) }
}

/** Where the files of a folder are kept: durable writes cost something only on a disk. */
export function mediumOf(folder: string): 'disk' | 'memory' {
  return statfsSync(folder).type === TMPFS_TYPE ? 'memory' : 'disk'
}

function readOptions<Name extends string>(bench: Pick<Bench<Name>, 'counts' | 'full' | 'longestMinutes'>) {
  const { counts: defaults, full, longestMinutes = LONGEST_MINUTES.usual } = bench
  const names = Object.keys(defaults) as Name[]
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      ...(full && { full: { type: 'boolean' as const, default: false } }),
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
    },
  })
  const given: Readonly<Record<string, unknown>> = values
  const isFull = given['full'] === true
  const counts: Record<Name, number> = { ...defaults, ...(isFull && full) }
  for (const name of names) if (given[name] !== undefined) counts[name] = wholeNumber(name, given[name])
  const longestMs = (isFull ? LONGEST_MINUTES.full : longestMinutes) * 60_000
  return { json: given['json'] === true, write: given['write'] === true, longestMs, counts }
}

function wholeNumber(option: string, text: unknown): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${option} ${text}: use a whole number of at least 1`)
  return value
}

function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  }
}

function machineLine({ cpu, cores, memoryGiB, node, platform }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}, ${platform}`
}

function besidePage(file: string): string {
  return join(import.meta.dirname, '../docs/benchmarks', file)
}

/** The page that a run writes: prose from the bench, every figure from the run. */
function page(report: Report, about: string): string {
  return [
    `# bench:${report.bench}`,
    '',
    `Written by \`npm run bench:${report.bench} -- --write\`: run it again rather than edit this.`,
    '',
    about.trim(),
    '',
    '## Figures',
    '',
    `${machineLine(report.machine)}.`,
    '',
    ...markdownLines(targetCells(report.targets)),
    ...Object.entries(report.details).flatMap(([name, table]) => [
      '',
      `### ${name}`,
      '',
      ...markdownLines(cellsOf(table)),
    ]),
    '',
  ].join('\n')
}

function terminalLines(report: Report): readonly string[] {
  return [
    `bench:${report.bench} on ${machineLine(report.machine)}`,
    '',
    ...alignedLines(targetCells(report.targets)),
    ...Object.entries(report.details).flatMap(([name, table]) => ['', name, ...alignedLines(cellsOf(table))]),
  ]
}

type Cells = readonly (readonly string[])[]

function targetCells(targets: readonly Target[]): Cells {
  const rows = targets.map(({ name, value, unit, target, ok }) => [name, `${value}`, `${target}`, unit, says(ok)])
  return [['target', 'value', 'held to', 'unit', 'met'], ...rows]
}

function says(ok: boolean): string {
  return ok ? 'yes' : 'no'
}

function cellsOf(table: Table): Cells {
  const columns = [...new Set(Object.values(table).flatMap((row) => Object.keys(row)))]
  const rows = Object.entries(table).map(([name, row]) => [name, ...columns.map((column) => `${row[column] ?? ''}`)])
  return [['', ...columns], ...rows]
}

function markdownLines([head = [], ...rows]: Cells): readonly string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

function alignedLines(rows: Cells): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** To the microsecond, where the unit is a millisecond. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
