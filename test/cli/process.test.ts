import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { statusSchema } from '../../src/api/wire.ts'
import { listeningApi, OPERATOR_TOKEN } from '../support/api.ts'
import { untilHolds } from '../support/until.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

interface Running {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  readonly exit: Promise<number | string | null>
}

function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'], ...env } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const exit = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  )
  return { child, out: () => out, err: () => err, exit }
}

const CONFIG = `apiVersion: headgate/v1
migration: process-test
clusters: { old: blue, new: green }
sweep: 1s
api: { port: 0 }
sources:
  scrape:
    targets: [{ url: http://127.0.0.1:9/metrics, labels: { cluster: blue, service: catalog } }]
slis:
  availability: { objective: 99%, total: http_requests_total, bad: 'http_requests_total{code=~"5.."}' }
workloads:
  - name: catalog
    traffic: { http: { url: http://127.0.0.1:9, split: catalog } }
`

function temporaryConfig(): { folder: string; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-process-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(path, CONFIG)
  return { folder, path }
}

describe('exit codes of the process', () => {
  test.each([
    ['--version', 0],
    ['--help', 0],
    ['nonsense', 2],
    ['validate /nowhere.yaml', 2],
    ['doctor /nowhere.yaml', 2],
    ['status --url http://127.0.0.1:9', 4],
  ])('headgate %s: %i', async (args, want) => {
    expect(await start(args.split(' ')).exit).toBe(want)
  })

  test('a workload that Headgate does not know: 3', async () => {
    const { url } = await listeningApi()
    const env = { HEADGATE_URL: url, HEADGATE_TOKEN: OPERATOR_TOKEN }
    expect(await start(['pause', 'nope', '--reason', 'x'], env).exit).toBe(3)
  })

  test('a doctor that finds nobody at home: 1, and nothing of it keeps the process', async () => {
    const { path } = temporaryConfig()
    const { exit, out } = start(['doctor', path])
    expect(await exit).toBe(1)
    expect(out()).toContain('✗ fail  catalog/http/catalog\n        TRAFFIC_UNREACHABLE: ')
  })

  test('Ctrl-C ends a watch well', async () => {
    const { url } = await listeningApi()
    const { child, out, exit } = start(['watch'], { HEADGATE_URL: url, HEADGATE_TOKEN: OPERATOR_TOKEN })
    await untilHolds(() => expect(out()).toContain('checkout'))
    child.kill('SIGINT')
    expect(await exit).toBe(0)
  })

  test('a pipe that closes early ends it, without a word', async () => {
    const { url } = await listeningApi()
    const { child, out, err, exit } = start(['watch'], { HEADGATE_URL: url, HEADGATE_TOKEN: OPERATOR_TOKEN })
    await untilHolds(() => expect(out()).toContain('checkout'))
    child.stdout?.destroy()
    child.kill('SIGTERM')
    expect(await exit).toBe(0)
    expect(err()).toBe('')
  })
})

describe('headgate run', () => {
  test('answers, reads its config again on SIGHUP, and stops in order on SIGTERM', async () => {
    const { path, folder } = temporaryConfig()
    const { child, out, exit } = start(['run', '-c', path, '--json', '--log-level', 'error'])
    await untilHolds(() => expect(out()).toContain('"url"'))
    const { url } = JSON.parse(out())
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    await untilHolds(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200))
    const hashOf = async () => statusSchema.parse(await (await fetch(`${url}/api/v1/status`)).json()).configHash
    const before = await hashOf()
    writeFileSync(path, readFileSync(path, 'utf8').replace('99%', '98%'))
    child.kill('SIGHUP')
    await untilHolds(async () => expect(await hashOf()).not.toBe(before))
    child.kill('SIGTERM')
    expect(await exit).toBe(0)

    const read = start(['journal', '--json', '--store', join(folder, 'headgate.db')])
    expect(await read.exit).toBe(0)
    const types = read
      .out()
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text).event.type)
    expect(types[0]).toBe('controller-started')
    expect(types.at(-1)).toBe('controller-stopped')
    expect(types.filter((type) => type === 'config-loaded')).toHaveLength(2)
  })
})
