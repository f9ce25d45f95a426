import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { end, endWithUs, freePorts } from './processes.ts'
import { until } from './until.ts'

/** A silence as the API tells it. */
export interface SeenSilence {
  readonly id: string
  readonly comment: string
  readonly createdBy: string
  readonly endsAt: string
  readonly matchers: readonly {
    readonly name: string
    readonly value: string
    readonly isRegex: boolean
    readonly isEqual: boolean
  }[]
  readonly status: { readonly state: 'active' | 'expired' | 'pending' }
}

/** A real Alertmanager on loopback, which tells each alert to one webhook at once. */
export interface RealAlertmanager {
  readonly port: number
  readonly url: string
  /** Names of the alerts that it has now; null: it does not answer. */
  alerts(): Promise<readonly string[] | null>
  silences(): Promise<readonly SeenSilence[]>
  /** Notifications since its start that the webhook took, and that it did not take. */
  sent(): Promise<{ readonly taken: number; readonly refused: number }>
  /** kill -9. */
  kill(): Promise<void>
  /** Starts it again, on the same port and data. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** Starts it and waits until it answers. */
export async function startAlertmanager(
  binary: string,
  webhook: { readonly url: string; readonly token: string },
): Promise<RealAlertmanager> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-alertmanager-'))
  writeFileSync(join(folder, 'alertmanager.yml'), configText(webhook))
  const [port = 0] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | null = null
  const get = async (path: string) => {
    const { statusCode, body } = await request(`${url}${path}`)
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${text}`)
    return text
  }
  const kill = async () => {
    if (child) await end(child, 'SIGKILL')
  }
  const start = async () => {
    child = launch(binary, folder, port)
    await until('alertmanager is ready', () => get('/-/ready').catch(() => null))
  }
  await start()
  return {
    port,
    url,
    alerts: async () => {
      const text = await get('/api/v2/alerts').catch(() => null)
      const all = text === null ? null : (JSON.parse(text) as { labels: { alertname: string } }[])
      return all?.map(({ labels }) => labels.alertname) ?? null
    },
    silences: async () => JSON.parse(await get('/api/v2/silences')) as SeenSilence[],
    sent: async () => {
      const text = await get('/metrics')
      const count = (metric: string) =>
        Number(new RegExp(`^${metric}\\{.*"webhook".*\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
      const refused = count('alertmanager_notification_requests_failed_total')
      return { taken: count('alertmanager_notification_requests_total') - refused, refused }
    },
    kill,
    start,
    stop: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function launch(binary: string, folder: string, port: number): ChildProcess {
  const child = spawn(
    binary,
    [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  )
  endWithUs(child)
  return child
}

function configText({ url, token }: { readonly url: string; readonly token: string }): string {
  // JSON is YAML.
  return JSON.stringify({
    route: { receiver: 'headgate', group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '1h' },
    receivers: [
      {
        name: 'headgate',
        webhook_configs: [{ url, send_resolved: true, http_config: { authorization: { credentials: token } } }],
      },
    ],
  })
}
