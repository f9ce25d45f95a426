import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Io } from '../../src/cli/io.ts'
import { startHttpProvider } from '../fakes/http-provider.ts'
import { startFakeApiServer } from '../support/api-server.ts'
import { deployCheckout } from '../support/checkout.ts'
import { runHere } from '../support/cli.ts'
import { answering, startWebServer } from '../support/web-server.ts'

const TOKEN = 'canary-token-of-a-test'
const env: Io['env'] = { PREFLIGHT_TOKEN: TOKEN }

function temporaryFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-preflight-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(path, text)
  return path
}

/** An ingress of NEW, a provider, pages of metrics and two API servers, all in this process. */
async function startPlace() {
  const provider = await startHttpProvider({ catalog: 0, checkout: 0 }, TOKEN)
  const ingress = await startWebServer(answering(200, 'ok'))
  const pages = await startWebServer(answering(200, 'http_requests_total{code="200",service="checkout"} 1\n'))
  const [old, fresh] = await Promise.all([startFakeApiServer(), startFakeApiServer()])
  onTestFinished(async () => {
    await Promise.all([provider.stop(), old.remove(), fresh.remove()])
  })
  const target = (name: string) =>
    `{ http: { url: "${provider.url}", split: ${name}, token: "\${env:PREFLIGHT_TOKEN}" } }`
  const text = `apiVersion: headgate/v1
migration: eks-1-33
clusters: { old: blue, new: green }
kubernetes: { old: { kubeconfig: "${old.kubeconfig}" }, new: { kubeconfig: "${fresh.kubeconfig}" } }
sources:
  scrape: { targets: [{ url: "${pages.url}/a", labels: { cluster: blue } }, { url: "${pages.url}/b", labels: { cluster: green } }] }
slis:
  availability: { objective: 99%, total: http_requests_total, bad: 'http_requests_total{code=~"5.."}' }
workloads:
  - name: checkout
    kubernetes: { namespace: shop, deployment: checkout }
    traffic: ${target('checkout')}
    probes: [{ url: "http://shop.test/healthz", address: { new: "127.0.0.1:${ingress.port}" } }]
  - name: catalog
    slis: []
    traffic: ${target('catalog')}
    probes: [{ url: "http://catalog.test/healthz", address: { new: "127.0.0.1:${ingress.port}" } }]
`
  return { provider, ingress, old, fresh, text, path: temporaryFile(text) }
}

describe('headgate preflight', () => {
  test('lists every check of every workload, and ends with 0 where nothing would hold', async () => {
    const { path, old, fresh, provider } = await startPlace()
    await Promise.all([old, fresh].map((server) => deployCheckout(server, 'registry.example.com/shop/checkout:1.4')))
    const ran = await runHere(['preflight', path], { env })
    expect(ran).toMatchObject({ code: 0, err: '' })
    const lines = ran.out.split('\n')
    expect(lines[0]).toBe('eks-1-33: looked at live, nothing written')
    expect(lines).toEqual(
      expect.arrayContaining([
        'blue → green',
        expect.stringMatching(
          /^✓ pass {5}clock {9}within \S+ s of ours: the API server of OLD and the API server of NEW$/,
        ),
        'checkout',
        '✓ pass     objects       2 of 2 replicas of Deployment shop/checkout in NEW are ready',
        '✓ pass     parity        1 image and 0 ConfigMaps compared with those of OLD',
        '✓ pass     telemetry     fresh series of NEW for availability',
        expect.stringMatching(/^✓ pass {5}ingress {7}probe-1 passed in at most /),
        expect.stringMatching(/^✓ pass {5}permissions {3}all \d+ rights that the plan needs are there$/),
        '· skipped  errorBudget   the source remembers no requests of it',
        'catalog',
        '· skipped  parity        the workload names no object (`kubernetes` of the workload)',
        expect.stringMatching(/^\d+ pass, 0 fail, 0 missing, \d+ skipped; 0 would hold a rollout$/),
      ]),
    )
    expect(provider.requests.map(({ method }) => method)).toEqual(['GET'])
  })

  test('says what would hold, with what to do, and ends with 1', async () => {
    const { path, old, fresh, ingress } = await startPlace()
    await deployCheckout(old, 'shop/checkout:1.4')
    await deployCheckout(fresh, 'shop/checkout:1.5')
    ingress.answer = answering(503, '')
    const ran = await runHere(['preflight', path, 'checkout'], { env })
    expect(ran).toMatchObject({ code: 1, err: '' })
    expect(ran.out).toContain(
      '✗ fail     parity        container app has shop/checkout:1.4 in OLD and shop/checkout:1.5 in NEW\n' +
        '                         → deploy the same to both clusters',
    )
    expect(ran.out).toContain('✗ fail     ingress       probe-1: status 503, not 200\n')
    expect(ran.out).toMatch(/, 2 fail, 0 missing, \d+ skipped; 2 would hold a rollout\n$/)
    expect(ran.out).not.toContain('catalog')
  })

  test('what cannot be seen is missing, and no pass', async () => {
    const { path, old, fresh } = await startPlace()
    await deployCheckout(old, 'shop/checkout:1.4')
    await fresh.remove()
    const ran = await runHere(['preflight', '--json', path, 'checkout'], { env })
    expect(ran).toMatchObject({ code: 1, err: '' })
    const { ok, workloads } = JSON.parse(ran.out)
    expect(ok).toBe(false)
    expect(workloads).toMatchObject([
      { migration: 'eks-1-33', clusters: { old: 'blue', new: 'green' }, workload: 'checkout' },
    ])
    const outcomes = workloads[0].checks.map(({ id, then, reading }: never) => [
      id,
      then,
      (reading as { outcome: string }).outcome,
    ])
    expect(outcomes).toEqual(
      expect.arrayContaining([
        ['objects', 'hold', 'missing'],
        ['clock', 'hold', 'missing'],
        ['ingress', 'hold', 'pass'],
      ]),
    )
  })

  test('refuses a workload that the config does not have', async () => {
    const { path } = await startPlace()
    expect(await runHere(['preflight', path, 'nope'], { env })).toMatchObject({
      code: 2,
      err: expect.stringContaining('has no workload "nope"; it has checkout, catalog'),
    })
  })

  test('tells of a bad config as validate does', async () => {
    const { text } = await startPlace()
    const path = temporaryFile(text.replace('split:', 'splitt:'))
    expect(await runHere(['preflight', path], { env })).toEqual(await runHere(['validate', path], { env }))
  })
})
