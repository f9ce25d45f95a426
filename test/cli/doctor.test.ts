import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import type { Io } from '../../src/cli/io.ts'
import { startFakeHaproxy } from '../fakes/haproxy.ts'
import { startHttpProvider } from '../fakes/http-provider.ts'
import { runHere } from '../support/cli.ts'

const TOKEN = 'canary-token-of-a-test'

/** Two real adapters and a page of metrics, each against a server in this process. */
async function startPlace() {
  const haproxy = await startFakeHaproxy(['checkout'])
  const provider = await startHttpProvider({ catalog: 0 }, TOKEN)
  let metrics = ['catalog', 'checkout'].map((name) => `http_requests_total{code="200",service="${name}"} 1\n`).join('')
  const pages = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(metrics))
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    pages.close()
    await Promise.all([haproxy.stop(), provider.stop()])
  })
  const { port } = z.object({ port: z.number() }).parse(pages.address())
  const text = `apiVersion: headgate/v1
migration: eks-1-33
clusters: { old: blue, new: green }
sources:
  scrape: { targets: [{ url: "http://127.0.0.1:${port}/metrics", labels: { cluster: blue } }] }
slis:
  availability: { objective: 99%, total: http_requests_total, bad: 'http_requests_total{code=~"5.."}' }
workloads:
  - name: catalog
    traffic: { http: { url: "${provider.url}", split: catalog, token: "\${env:DOCTOR_TOKEN}" } }
  - name: checkout
    traffic: { haproxy: { socket: "${haproxy.socketName}", backend: checkout, old: old, new: new } }
`
  return {
    haproxy,
    provider,
    path: temporaryFile(text),
    page: (next: string) => {
      metrics = next
    },
    text,
  }
}

function temporaryFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(path, text)
  return path
}

const env: Io['env'] = { DOCTOR_TOKEN: TOKEN }

describe('headgate doctor', () => {
  test('says of each target and each SLI that it is well, and writes nothing', async () => {
    const { haproxy, provider, path } = await startPlace()
    const ran = await runHere(['doctor', path], { env })
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out.split('\n')).toEqual([
      'eks-1-33: looked at live, nothing written',
      '',
      'targets',
      '✓ ok    catalog/http/catalog',
      '✓ ok    checkout/haproxy/checkout',
      '',
      'SLIs',
      '✓ ok    scrape/availability',
      '',
      '3 ok, 0 to look at, 0 that would stop a rollout',
      `What Headgate must be allowed to do: headgate doctor --privileges ${path}`,
      '',
    ])
    expect(provider.requests.map(({ method }) => method)).toEqual(['GET'])
    expect(haproxy.commands.filter((command) => command.startsWith('set'))).toEqual([])
  })

  test('says what is wrong with each, with what to do, and ends with 1', async () => {
    const { haproxy, provider, path } = await startPlace()
    haproxy.backends.delete('checkout')
    provider.splits.delete('catalog')
    const ran = await runHere(['doctor', path], { env })
    expect(ran).toMatchObject({ code: 1, err: '' })
    expect(ran.out).toContain(
      [
        '✗ fail  catalog/http/catalog',
        '        TRAFFIC_NOT_FOUND: the provider knows no split catalog',
        '        → check the names in the target',
      ].join('\n'),
    )
    expect(ran.out).toMatch(/✗ fail {2}checkout\/haproxy\/checkout\n {8}TRAFFIC_NOT_FOUND: /)
    expect(ran.out).toContain('1 ok, 0 to look at, 2 that would stop a rollout')
  })

  test.each([
    ['wrong', { DOCTOR_TOKEN: 'canary-other' }, /TRAFFIC_(?:NO_CREDENTIALS|FORBIDDEN|REFUSED)/],
    ['gone', {}, /CONFIG_SECRET_UNRESOLVED/],
  ])('never shows a token, when it is %s neither', async (_, other, code) => {
    const { path } = await startPlace()
    const ran = await runHere(['doctor', path], { env: other })
    expect(ran.code).toBeGreaterThan(0)
    expect(`${ran.out}${ran.err}`).toMatch(code)
    expect(`${ran.out}${ran.err}`).not.toContain('canary')
  })

  test('only warns of an SLI that has no series of OLD', async () => {
    const { path, page } = await startPlace()
    page('something_else 1\n')
    const ran = await runHere(['doctor', path], { env })
    expect(ran.code).toBe(0)
    expect(ran.out).toContain(
      '! warn  scrape/availability\n' +
        '        SOURCE_NO_SERIES: no series with cluster="blue" and service = catalog, checkout\n',
    )
  })

  test('with --json is one object', async () => {
    const { path, provider } = await startPlace()
    provider.splits.delete('catalog')
    const ran = await runHere(['doctor', '--json', path], { env })
    expect(ran).toMatchObject({ code: 1, err: '' })
    expect(JSON.parse(ran.out)).toMatchObject({
      ok: false,
      migrations: ['eks-1-33'],
      checks: [
        { kind: 'target', about: 'catalog/http/catalog', level: 'fail', problems: [{ code: 'TRAFFIC_NOT_FOUND' }] },
        { kind: 'target', about: 'checkout/haproxy/checkout', level: 'ok', problems: [] },
        { kind: 'sli', about: 'scrape/availability', level: 'ok', problems: [] },
      ],
    })
  })

  test.each([[], ['--privileges']])('tells of a bad config as validate does (%s)', async (...flags) => {
    const { text } = await startPlace()
    const path = temporaryFile(text.replace('backend:', 'backed:'))
    const ran = await runHere(['doctor', ...flags, path], { env })
    expect(ran).toEqual(await runHere(['validate', path], { env }))
    expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(/:\d+:\d+: CONFIG_UNKNOWN_KEY: /) })
  })

  test('ends without a word on Ctrl-C, although a provider hangs', async () => {
    const { path, haproxy } = await startPlace()
    haproxy.hang()
    const ran = await runHere(['doctor', path], { env, interrupted: AbortSignal.timeout(200) })
    expect(ran).toEqual({ code: 1, out: '', err: '' })
  })
})

describe('headgate doctor --privileges', () => {
  test('prints each document under its title, and asks nobody', async () => {
    const { path, provider, haproxy } = await startPlace()
    const ran = await runHere(['doctor', '--privileges', path], { env })
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toContain(`# The token for ${provider.url}\nGET and PATCH `)
    expect(ran.out).toContain(`# HAProxy at ${haproxy.socketName}\na \`stats socket\` of level admin`)
    expect([provider.requests, haproxy.commands]).toEqual([[], []])
  })

  test('with --json is one object', async () => {
    const { path } = await startPlace()
    const { out } = await runHere(['doctor', '--privileges', '--json', path], { env })
    const { privileges } = JSON.parse(out)
    expect(privileges.map((one: object) => Object.keys(one))).toEqual([
      ['kind', 'title', 'format', 'document'],
      ['kind', 'title', 'format', 'document'],
    ])
  })

  test('YAML documents can be fed to kubectl as they are, titles and all', async () => {
    const { privilegesText } = await import('../../src/cli/commands/doctor.ts')
    const role = { kind: 'Role', metadata: { name: 'headgate' } }
    const binding = { kind: 'RoleBinding', metadata: { name: 'headgate' } }
    const text = privilegesText([
      { title: 'In cluster new', format: 'yaml', document: [role, binding] },
      { title: 'In cluster old', format: 'yaml', document: role },
    ])
    expect(parseAllDocuments(text).map((document) => document.toJS())).toEqual([role, binding, role])
  })

  test('two kinds in one namespace get a Role each, and neither replaces the other', async () => {
    const { text } = await startPlace()
    const route = 'namespace: shop, old: checkout-blue, new: checkout-green'
    const traffic = `traffic: { gateway-api: { ${route}, route: checkout }, istio: { ${route}, virtualService: checkout } }`
    const path = temporaryFile(`${text}  - name: search\n    ${traffic}\n`)
    const { out } = await runHere(['doctor', '--privileges', path], { env })
    const objects = [...out.matchAll(/^kind: (\w+)\nmetadata:\n {2}name: (\S+)$/gm)].map(([, ...parts]) =>
      parts.join(' '),
    )
    expect(objects.toSorted()).toEqual([
      'Role headgate.gateway.networking.k8s.io',
      'Role headgate.networking.istio.io',
      'RoleBinding headgate.gateway.networking.k8s.io',
      'RoleBinding headgate.networking.istio.io',
    ])
  })

  test('JSON is printed to be read', async () => {
    const { privilegesText } = await import('../../src/cli/commands/doctor.ts')
    const text = privilegesText([{ title: 'IAM policy', format: 'json', document: { Version: '2012-10-17' } }])
    expect(text).toBe('# IAM policy\n{\n  "Version": "2012-10-17"\n}\n')
  })
})
