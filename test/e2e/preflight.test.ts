import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { workloadDetailSchema } from '../../src/api/wire.ts'
import { startHttpProvider } from '../fakes/http-provider.ts'
import { startFakeApiServer } from '../support/api-server.ts'
import { deployCheckout } from '../support/checkout.ts'
import { API_CONFIG, startHeadgate, TOKEN } from '../support/headgate.ts'
import { until } from '../support/until.ts'
import { answering, startWebServer } from '../support/web-server.ts'
import { PATIENT } from './case.ts'

const PROVIDER_TOKEN = 'provider-token-of-a-test'

test(
  'a workload waits until NEW is what OLD is, and holds when somebody deploys while its traffic moves',
  PATIENT,
  async () => {
    const provider = await startHttpProvider({ checkout: 0 }, PROVIDER_TOKEN)
    const ingress = await startWebServer(answering(200, 'ok'))
    const [old, fresh] = await Promise.all([startFakeApiServer(), startFakeApiServer()])
    const folder = mkdtempSync(join(tmpdir(), 'headgate-e2e-'))
    onTestFinished(async () => {
      rmSync(folder, { recursive: true, force: true })
      await Promise.all([provider.stop(), old.remove(), fresh.remove()])
    })
    await deployCheckout(old, 'shop/checkout:1.4')
    await deployCheckout(fresh, 'shop/checkout:1.3')
    const path = join(folder, 'headgate.yaml')
    writeFileSync(
      path,
      `apiVersion: headgate/v1
migration: eks-1-33
clusters: { old: blue, new: green }
sweep: 1s
${API_CONFIG}
kubernetes: { old: { kubeconfig: "${old.kubeconfig}" }, new: { kubeconfig: "${fresh.kubeconfig}" } }
policies: { slow: { steps: [{ weight: 10%, hold: 10m }, { weight: 100%, hold: 1s }] } }
policy: slow
workloads:
  - name: checkout
    kubernetes: { namespace: shop, deployment: checkout }
    traffic: { http: { url: "${provider.url}", split: checkout, token: "\${env:PROVIDER_TOKEN}" } }
    probes: [{ url: "http://shop.test/healthz", address: { new: "127.0.0.1:${ingress.port}" } }]
`,
    )
    const headgate = await startHeadgate(path, { env: { PROVIDER_TOKEN } })
    onTestFinished(() => headgate.stop())
    const look = async () => {
      const headers = { authorization: `Bearer ${TOKEN}` }
      const { body } = await request(`${headgate.url}/api/v1/workloads/checkout`, { headers })
      return workloadDetailSchema.parse(await body.json())
    }
    const heldBy = async (text: string) =>
      (await look()).holds.some(({ cause, detail }) => cause === 'check' && detail.includes(text))

    await until('it is held before its first step', () => heldBy('parity: container app has shop/checkout:1.4 in OLD'))
    const before = await look()
    expect([before.phase.name, before.intendedWeightPercent]).toEqual(['preflight', 0])
    expect(before.readings.checks).toMatchObject({
      objects: { outcome: 'pass' },
      parity: { outcome: 'fail' },
      ingress: { outcome: 'pass' },
      permissions: { outcome: 'pass' },
      stateful: { outcome: 'pass' },
      certificate: { outcome: 'skipped' },
    })

    await deployCheckout(fresh, 'shop/checkout:1.4')
    await until('it takes its first step', async () => (await look()).intendedWeightPercent === 10)
    expect((await look()).holds.filter(({ cause }) => cause === 'check')).toEqual([])

    await deployCheckout(old, 'shop/checkout:1.5')
    await until('the deploy holds it', () => heldBy('parity: container app has shop/checkout:1.5 in OLD'))
    expect((await look()).intendedWeightPercent).toBe(10)
  },
)
