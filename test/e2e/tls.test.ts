import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startHeadgate } from '../support/headgate.ts'
import { asking, CLIENTS, SERVERS, shownBy, tlsFolder } from '../support/tls-api.ts'
import { until } from '../support/until.ts'

const CONFIG = `apiVersion: headgate/v1
migration: tls
clusters: { old: blue, new: green }
sweep: 2s
api:
  port: 0
  audit: { path: audit.jsonl }
  tls: { cert: tls.crt, key: tls.key, clientCa: ca.crt }
  clients: [{ name: bob, role: admin, san: "DNS:bob" }]
workloads:
  - name: catalog
    traffic: { http: { url: http://127.0.0.1:9, split: catalog } }
    probes: [{ url: http://catalog.test/, address: { new: "127.0.0.1:9" } }]
`
const BOB = CLIENTS.issue({ names: ['bob'], usage: 'client' })

async function running() {
  const own = SERVERS.issue({ names: ['127.0.0.1'] })
  const files = tlsFolder(own)
  files.write('headgate.yaml', CONFIG)
  const headgate = await startHeadgate(join(files.folder, 'headgate.yaml'), { logLevel: 'debug' })
  onTestFinished(() => headgate.stop())
  return { ...files, headgate, own, ask: asking(headgate.url) }
}

describe('a service over TLS', () => {
  test('takes a renewed certificate by itself, also while its config is wrong', async () => {
    const { headgate, put, write } = await running()
    expect(headgate.url).toMatch(/^https:/)
    const first = await shownBy(headgate.url)
    put(SERVERS.issue({ names: ['127.0.0.1'] }))
    const second = await until('a new certificate is shown', () => otherThan(first, headgate.url), headgate.log)
    write('headgate.yaml', `${CONFIG}: no YAML`)
    await until('the config is refused', () => headgate.log().includes('the new config is refused'), headgate.log)
    put(SERVERS.issue({ names: ['127.0.0.1'] }))
    await until('and another one', () => otherThan(second, headgate.url), headgate.log)
  })

  test('tells a reload what is wrong with a file, and keeps the old ones', async () => {
    const { headgate, write, ask } = await running()
    const before = await shownBy(headgate.url)
    write('tls.key', SERVERS.issue({ names: ['x'] }).key)
    const { status, text } = await ask('/api/v1/reload', BOB, { method: 'POST' })
    expect([status, JSON.parse(text)]).toEqual([
      409,
      expect.objectContaining({
        problems: [
          expect.objectContaining({
            code: 'CONFIG_WRONG_VALUE',
            cause: 'tls.key: not the key of the certificate',
            at: expect.objectContaining({ line: 8, column: 30 }),
          }),
        ],
      }),
    ])
    expect(await shownBy(headgate.url)).toBe(before)
  })

  test('shows its private keys nowhere', async () => {
    const { headgate, write, ask, folder, own } = await running()
    const next = SERVERS.issue({ names: ['127.0.0.1'] })
    write('tls.key', next.key)
    await ask('/api/v1/reload', BOB, { method: 'POST' })
    write('tls.crt', next.cert)
    await ask('/api/v1/reload', BOB, { method: 'POST' })
    write('tls.key', own.key.slice(0, 120))
    await ask('/api/v1/reload', BOB, { method: 'POST' })
    const paths = ['/metrics', '/api/v1/status', '/api/v1/journal', '/api/v1/workloads/catalog', '/openapi.json']
    const seen = await Promise.all(paths.map((path) => ask(path, BOB)))
    for (const { status } of seen) expect(status).toBe(200)
    const audit = readFileSync(join(folder, 'audit.jsonl'), 'utf8')
    expect(audit.match(/"actor":"bob"/g)).toHaveLength(3)
    const all = [...seen.map(({ text }) => text), headgate.log(), audit].join('\n')
    expect(all).toContain('the old ones stay')
    for (const key of [own.key, next.key, BOB.key])
      for (const line of key.split('\n').slice(1, -2)) expect(all).not.toContain(line.slice(0, 40))
  })
})

async function otherThan(known: string, url: string): Promise<string | null> {
  const shown = await shownBy(url)
  return shown === known ? null : shown
}
