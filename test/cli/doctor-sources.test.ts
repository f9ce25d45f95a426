import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startDatadog } from '../fakes/datadog.ts'
import { runHere } from '../support/cli.ts'

const env = { DD_API_KEY: 'canary-api', DD_APP_KEY: 'canary-app' }

/** A config with SLIs of Datadog, and a synthetic test of each cluster. */
function configAt(url: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  const text = `apiVersion: headgate/v1
migration: eks-1-33
clusters: { old: blue, new: green }
sources:
  datadog: { url: "${url}", apiKey: "\${env:DD_API_KEY}", appKey: "\${env:DD_APP_KEY}" }
  cloudwatch: { region: eu-central-1, role: { arn: "arn:aws:iam::123456789012:role/metrics" } }
workloads:
  - name: checkout
    traffic: { http: { url: "http://127.0.0.1:1", split: checkout } }
    synthetics:
      - { name: journey, old: { test: abc-def-ghi }, new: { test: jkm-nop-qrs } }
`
  writeFileSync(path, text)
  return path
}

test('doctor looks at each synthetic test, and tells of one that says nothing of now', async () => {
  const datadog = await startDatadog({ api: env.DD_API_KEY, app: env.DD_APP_KEY })
  const runAt = (ago: number) => ({
    everySeconds: 3600,
    results: [{ atMs: Date.now() - ago, status: 'failed' as const }],
  })
  datadog.tests.set('abc-def-ghi', runAt(1000))
  datadog.tests.set('jkm-nop-qrs', { ...runAt(1000), status: 'paused' })
  const { out } = await runHere(['doctor', configAt(datadog.url)], { env })
  expect(out).toMatch(/✓ ok +checkout\/journey of blue/)
  expect(out).toMatch(/✗ fail +checkout\/journey of green\n.*jkm-nop-qrs is paused/)
  expect(out).not.toContain('canary')
})

test('doctor --privileges prints what the credentials of sources must be allowed', async () => {
  const { code, out } = await runHere(['doctor', '--privileges', configAt('http://127.0.0.1:1')], { env })
  expect(code).toBe(0)
  expect(out).toContain('timeseries_query')
  expect(out).toContain('# IAM policy of arn:aws:iam::123456789012:role/metrics')
  expect(out).toContain('cloudwatch:GetMetricData')
})
