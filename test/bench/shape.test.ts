import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { endWithUs } from '../support/processes.ts'
import { requireServer } from '../support/servers.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Ends a run that hangs: a benchmark waits for quotas to fill, and this machine may be slow. */
const LONGEST_MS = 600_000

/** Without it the page says that replicas were not measured. */
const REDIS = requireServer('redis-server', 'three replicas in bench:fleet')

/** A short run of every benchmark. What it measures is not judged: this machine may be busy. */
const CASES = [
  {
    bench: 'reaction',
    args: ['--reverts', '20', '--workloads', '12'],
    targets: ['reaction_p99_over_floor'],
    rows: [['One at a time, ms', 'reaction', 20]],
  },
  {
    bench: 'revert',
    args: ['--workloads', '6', '--zones', '2', '--others', '20', '--rounds', '1', '--latency', '5', '--pause', '1'],
    targets: ['mass_revert_calls', 'mass_revert_over_floor', 'zones_revert_over_quota', 'revert_under_load_ratio'],
    rows: [['Until the last acknowledgement, s', 'one zone', 1]],
  },
  {
    bench: 'decisions',
    args: ['--healthy', '2', '--faults', '2', '--decisions', '1000'],
    targets: [
      'false_reverts_per_1000_max',
      'false_halts_per_1000_max',
      'failed_requests_median',
      'best_peer_over_ours',
      'change_point_ratio',
      'shared_shock_reverts_per_1000',
      'latency_detection_ticks',
      'decision_microseconds',
    ],
    rows: [['Cost of a decision, µs of CPU', 'one decision', 1000]],
  },
  {
    bench: 'fleet',
    args: [
      ...['--small', '2', '--medium', '3', '--large', '5', '--sweeps', '1', '--refills', '1', '--interval', '1'],
      ...['--naive', '1'],
    ],
    targets: [
      'queries_per_sweep_over_slis_10k',
      'cpu_core_percent_10k',
      'cpu_per_workload_growth',
      'peak_memory_mb_10k',
      'lateness_p99_ms_10k',
      'start_seconds_10k',
      'naive_over_ours_cpu',
    ],
    rows: [
      ['Fleets', '5 workloads', 5],
      ...(REDIS === null ? [] : [['Three replicas on one Redis', '5 workloads', 5] as const]),
    ],
  },
] as const

const Report = z.strictObject({
  bench: z.string(),
  machine: z.strictObject({
    cpu: z.string().min(1),
    cores: z.int().min(1),
    memoryGiB: z.int().min(0),
    node: z.literal(process.version),
    platform: z.string().min(1),
  }),
  targets: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9_]+$/),
        value: z.number(),
        unit: z.string().min(1),
        target: z.number(),
        ok: z.boolean(),
      }),
    )
    .min(1),
  details: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.union([z.number(), z.string()])))),
})

/** Runs a benchmark whose files go to a folder of its own; `left` are those that it has left there. */
async function run(bench: string, args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-test-'))
  const child = spawn(process.execPath, [join(ROOT, 'bench', `${bench}.ts`), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  })
  endWithUs(child)
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  const left = readdirSync(folder)
  rmSync(folder, { recursive: true, force: true })
  return { stdout, stderr, exitCode, left }
}

describe.concurrent.each(CASES)('bench:$bench', ({ bench, args, targets, rows }) => {
  test('prints its report as the last line, and leaves no file', { timeout: LONGEST_MS }, async () => {
    const { stdout, stderr, exitCode, left } = await run(bench, ['--json', ...args])
    expect(stderr).toBe('')
    const report = Report.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''))
    expect(report.bench).toBe(bench)
    expect(report.targets.map((target) => target.name)).toEqual(targets)
    for (const [table, name, count] of rows) expect(report.details[table]?.[name]?.['count']).toBe(count)
    expect(exitCode).toBe(report.targets.every(({ ok }) => ok) ? 0 : 1)
    expect(left).toEqual([])
  })

  test('says what is wrong with its options, by exit code too', async () => {
    const [option = ''] = args
    const { stdout, stderr, exitCode } = await run(bench, [option, '0'])
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 })
    expect(stderr).toContain(`${option} 0: use a whole number of at least 1`)
  })

  test('has a page that a run has written', () => {
    const page = readFileSync(join(ROOT, 'docs/benchmarks', `${bench}.md`), 'utf8')
    expect(page).toContain(`npm run bench:${bench} -- --write`)
    for (const target of targets) expect(page).toMatch(new RegExp(`^\\| ${target} \\| [\\d.]+ \\|`, 'm'))
  })
})

// All benchmarks print by way of the same lines: the quickest one tells for all.
test.concurrent('a table for people is printed as well', { timeout: LONGEST_MS }, async () => {
  const [{ bench, args, targets }] = CASES
  const { stdout } = await run(bench, args)
  expect(stdout).toContain(`bench:${bench} on `)
  for (const target of targets) expect(stdout).toMatch(new RegExp(`^${target} +[\\d.]+ `, 'm'))
})

test('every benchmark of package.json is held to this shape', () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')))
  const benches = Object.entries(scripts).filter(([name]) => name.startsWith('bench:'))
  expect(benches).toEqual(CASES.map(({ bench }) => [`bench:${bench}`, `node bench/${bench}.ts`]))
})
