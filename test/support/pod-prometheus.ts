import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { POD_NAMES, PODS, type PodPages } from './pods.ts'
import { end, endWithUs, freePorts } from './processes.ts'
import { until, untilHolds } from './until.ts'

/** A real Prometheus that scrapes the pods, on loopback, with its data in a folder of its own. */
export interface PodPrometheus {
  readonly url: string
  /** Ends it and removes its data. */
  remove(): Promise<void>
}

/**
 * Starts the binary and waits until it answers; its first scrapes come about five seconds later. `scrapeInterval` in
 * Prometheus's words, e.g. `200ms`.
 */
export function startPodPrometheus(binary: string, pages: PodPages, scrapeInterval: string): Promise<PodPrometheus> {
  return launch(binary, configText(pages, scrapeInterval), [])
}

/** A real Prometheus that scrapes nothing, and takes native histograms that are written to it. */
export function startNativePrometheus(binary: string): Promise<PodPrometheus> {
  return launch(binary, '{}', ['--enable-feature=native-histograms', '--web.enable-remote-write-receiver'])
}

async function launch(binary: string, config: string, more: readonly string[]): Promise<PodPrometheus> {
  for (let attempt = 1; ; attempt++) {
    const running = await tryToLaunch(binary, config, more)
    if (typeof running !== 'string') return running
    if (attempt === 5) throw new Error(`prometheus does not start: ${running}`)
  }
}

/** Resolves when it answers, or with its log when it has ended before: Prometheus cannot choose a port by itself. */
async function tryToLaunch(binary: string, config: string, more: readonly string[]): Promise<PodPrometheus | string> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-prometheus-'))
  await writeFile(join(folder, 'prometheus.yml'), config)
  const [port = 0] = await freePorts(1)
  const child = spawn(
    binary,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
      ...more,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  endWithUs(child)
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk
  })
  const remove = async () => {
    // Its data is thrown away, so nothing is lost by the short way.
    await end(child, 'SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  // It does not listen from the start.
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  await until(
    'prometheus is ready',
    async () => hasEnded() || (await isReady()),
    () => log,
  )
  if (!hasEnded()) return { url, remove }
  await remove()
  return log
}

/**
 * The second scrape from now begins after the first, which saw everything that is counted now, was stored. A scrape that
 * a busy machine has let time out says that its pod is gone: resolves with a moment at which all that are not away are there.
 */
export async function everyPageScraped({ pods, reads }: PodPages, { url }: PodPrometheus): Promise<number> {
  const before = { ...reads }
  const there = POD_NAMES.filter((name) => !pods[name].isAway).length
  let atMs = 0
  const scraped = async () => {
    atMs = Date.now()
    for (const name of POD_NAMES) if (reads[name] < before[name] + 2) throw new Error(`${name} is not scraped yet`)
    const asked = new URLSearchParams({ query: 'count(up == 1)', time: String(atMs / 1000) })
    const answer = await fetch(`${url}/api/v1/query?${asked}`)
    const { data } = UP.parse(await answer.json())
    if (Number(data.result[0]?.value[1] ?? 0) !== there) throw new Error('a scrape of a page has timed out')
  }
  await untilHolds(scraped)
  return atMs
}

const UP = z.object({ data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }) })

function configText(pages: PodPages, scrapeInterval: string): string {
  const jobs = POD_NAMES.map((name) => {
    const { host, pathname } = new URL(pages.url(name))
    return { targets: [host], labels: { ...PODS[name], __metrics_path__: pathname } }
  })
  // JSON is YAML.
  return JSON.stringify({
    global: { scrape_interval: scrapeInterval, scrape_timeout: scrapeInterval },
    scrape_configs: [
      {
        job_name: 'pods',
        static_configs: jobs,
        // As in Kubernetes, where each pod is an instance of its own.
        relabel_configs: [{ source_labels: ['__metrics_path__'], target_label: 'instance' }],
      },
    ],
  })
}
