import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { end, endWithUs, freePorts } from './processes.ts'
import { until } from './until.ts'

export interface ScrapeTarget {
  /** On 127.0.0.1. */
  readonly port: number
  /** Added to each of its series. */
  readonly labels: Readonly<Record<string, string>>
}

export const SCRAPE_SECONDS = 1

/** A real Prometheus on loopback that scrapes every SCRAPE_SECONDS. */
export interface RealPrometheus {
  readonly url: string
  /** The value of an instant query with one sample, as of now; null: it has none. */
  value(query: string): Promise<number | null>
  /** Names of the groups of rules that it has loaded. */
  ruleGroups(): Promise<readonly string[]>
  /** Ends it where it stands, as a crash would. */
  kill(): Promise<void>
  /** Starts it again, on the same port and data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** What a Prometheus remembers from before it was started. */
export interface Past {
  readonly promtool: string
  /** Samples with their times, as OpenMetrics. */
  readonly openMetrics: string
}

/** What it alerts on, and whom it tells. */
export interface Alerting {
  /** Of an Alertmanager on 127.0.0.1. */
  readonly alertmanagerPort: number
  /** Alerting rules, as in a rule file. */
  readonly rules: readonly object[]
  /** Paths of rule files beside them. */
  readonly ruleFiles: readonly string[]
}

const RULES = 'rules.yml'

/** Starts Prometheus and waits until it answers. Ports are free ones; one that is snatched away means another try. */
export async function startPrometheus(
  binary: string,
  targets: readonly ScrapeTarget[],
  past: Past | null = null,
  alerting: Alerting | null = null,
): Promise<RealPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-prometheus-'))
  writeFileSync(join(folder, 'prometheus.yml'), configText(targets, alerting))
  const rules = { groups: [{ name: 'tests', interval: `${SCRAPE_SECONDS}s`, rules: alerting?.rules ?? [] }] }
  writeFileSync(join(folder, RULES), JSON.stringify(rules))
  if (past) remember(folder, past)
  let lastLog = ''
  for (let attempt = 1; attempt <= 5; attempt++) {
    const [port = 0] = await freePorts(1)
    const started = await launch(binary, folder, port)
    if (typeof started !== 'string') return running(binary, folder, port, started)
    lastLog = started
  }
  rmSync(folder, { recursive: true, force: true })
  throw new Error(`prometheus does not start: ${lastLog}`)
}

function remember(folder: string, { promtool, openMetrics }: Past): void {
  const file = join(folder, 'past.txt')
  writeFileSync(file, openMetrics)
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', file, join(folder, 'data')]
  const { status, stderr } = spawnSync(promtool, args, { encoding: 'utf8', timeout: 240_000 })
  if (status !== 0) throw new Error(`promtool does not take the past: ${stderr}`)
}

function running(binary: string, folder: string, port: number, first: ChildProcess): RealPrometheus {
  let child = first
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    value: (query) => sampleOf(url, query),
    ruleGroups: async () => {
      const { body } = await request(`${url}/api/v1/rules`)
      const answer = (await body.json()) as { data: { groups: readonly { name: string }[] } }
      return answer.data.groups.map(({ name }) => name)
    },
    kill: () => end(child, 'SIGKILL'),
    restart: async () => {
      const started = await launch(binary, folder, port)
      if (typeof started === 'string') throw new Error(`prometheus does not start again: ${started}`)
      child = started
    },
    stop: async () => {
      await end(child, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when it answers, or with its log when it has ended before. */
async function launch(binary: string, folder: string, port: number): Promise<ChildProcess | string> {
  const child = spawn(
    binary,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      // An Alertmanager that was away hears of an alert again at once.
      `--rules.alert.resend-delay=${SCRAPE_SECONDS}s`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  endWithUs(child)
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk
  })
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  await until('prometheus is ready', async () => hasEnded() || (await isReady(port)))
  return hasEnded() ? log : child
}

async function isReady(port: number): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`http://127.0.0.1:${port}/-/ready`)
    await body.dump()
    return statusCode === 200
  } catch {
    // It does not listen yet.
    return false
  }
}

async function sampleOf(url: string, query: string): Promise<number | null> {
  const { body } = await request(`${url}/api/v1/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ query }).toString(),
  })
  const answer = (await body.json()) as { data?: { result?: readonly { value: readonly [number, string] }[] } }
  const text = answer.data?.result?.[0]?.value[1]
  return text === undefined ? null : Number(text)
}

function configText(targets: readonly ScrapeTarget[], alerting: Alerting | null): string {
  const jobs = targets.map(({ port, labels }) => ({ targets: [`127.0.0.1:${port}`], labels }))
  // JSON is YAML.
  return JSON.stringify({
    global: { scrape_interval: `${SCRAPE_SECONDS}s`, scrape_timeout: `${SCRAPE_SECONDS}s` },
    scrape_configs: [{ job_name: 'services', static_configs: jobs }],
    rule_files: [RULES, ...(alerting?.ruleFiles ?? [])],
    ...(alerting && {
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alerting.alertmanagerPort}`] }] }] },
    }),
  })
}
