import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { startHttpProvider } from '../fakes/http-provider.ts'
import { startFakeCluster } from '../fakes/kubernetes/cluster.ts'
import { runHere } from '../support/cli.ts'

/** A config of one workload whose objects are in two fake clusters; `doctor` reads it. */
async function startPlace(capacity = '{ scale: up }') {
  const [old, fresh, provider] = await Promise.all([
    startFakeCluster(),
    startFakeCluster(),
    startHttpProvider({ checkout: 0 }, 'token'),
  ])
  const folder = mkdtempSync(join(tmpdir(), 'headgate-doctor-'))
  onTestFinished(async () => {
    rmSync(folder, { recursive: true })
    await Promise.all([old.remove(), fresh.remove(), provider.stop()])
  })
  const path = join(folder, 'headgate.yaml')
  writeFileSync(
    path,
    `apiVersion: headgate/v1
migration: m
clusters: { old: blue, new: green }
kubernetes:
  old: { kubeconfig: ${old.kubeconfig.path} }
  new: { kubeconfig: ${fresh.kubeconfig.path} }
policy: own
policies:
  own: { capacity: ${capacity} }
workloads:
  - name: checkout
    traffic: { http: { url: "${provider.url}", split: checkout, token: "\${env:TOKEN}" } }
    probes: [{ url: "http://shop.example.com/", address: { new: 203.0.113.9 } }]
    kubernetes: { namespace: shop, deployment: checkout }
`,
  )
  const doctor = (...flags: readonly string[]) => runHere(['doctor', ...flags, path], { env: { TOKEN: 'token' } })
  return { old, fresh, doctor }
}

test('doctor says of each cluster that it is well, and writes nothing there', async () => {
  const { doctor, old, fresh } = await startPlace()
  const ran = await doctor()
  expect(ran).toMatchObject({ code: 0, err: '' })
  expect(ran.out).toContain('clusters\n✓ ok    blue (old of m)\n✓ ok    green (new of m)\n')
  const calls = [...old.server.calls, ...fresh.server.calls]
  expect(new Set(calls.map(({ method, url }) => `${method} ${url.split('?')[0]}`))).toEqual(
    new Set(['GET /version', 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews']),
  )
})

test('doctor fails over what a rollout would need, and warns of what it could do without', async () => {
  const { doctor, old, fresh } = await startPlace()
  old.server.forbiddenVerbs.add('create events')
  fresh.server.forbiddenVerbs.add('patch deployments/scale').add('watch')
  fresh.server.clockAheadMs = -60_000
  const { code, out } = await doctor()
  expect(code).toBe(1)
  expect(out).toContain('! warn  blue (old of m)')
  expect(out).toContain(
    'CLUSTER_FORBIDDEN: cannot tell events on the workloads: may not create events.events.k8s.io in shop',
  )
  expect(out).toContain('✗ fail  green (new of m)')
  expect(out).toContain('may not watch deployments.apps in shop, patch deployments/scale.apps in shop')
  expect(out).toMatch(/CLUSTER_CLOCK: its clock is (59|60|61) s behind ours/)
})

test('doctor tells once of a cluster that is away', async () => {
  const { doctor, fresh } = await startPlace()
  await fresh.server.stop()
  const { code, out } = await doctor()
  expect(code).toBe(1)
  expect(out.match(/CLUSTER_NO_ANSWER/g)).toHaveLength(1)
  expect(out).toContain('CLUSTER_NO_ANSWER: unreachable: get /version: the API server cannot be reached')
})

test('--privileges prints a Role for each cluster: what it needs, and no more', async () => {
  const rolesOf = async (capacity: string) => {
    const { doctor } = await startPlace(capacity)
    const { out } = await doctor('--privileges')
    const documents = parseAllDocuments(out).map((one) => one.toJS())
    const roles = documents.filter((one) => one?.kind === 'Role')
    expect(documents.filter((one) => one?.kind === 'RoleBinding')).toHaveLength(roles.length)
    expect(out).toContain('# Role in namespace shop of blue (old)')
    return roles.map(({ metadata, rules }) => [
      metadata.namespace,
      ...rules.map((rule: { apiGroups: string[]; resources: string[]; verbs: string[] }) =>
        [rule.verbs.join('+'), `${rule.resources}.${rule.apiGroups}`].join(' '),
      ),
    ])
  }
  const least = [
    'get+list+watch deployments.apps',
    'get configmaps.',
    'list services.',
    'list horizontalpodautoscalers.autoscaling',
    'list poddisruptionbudgets.policy',
    'list ingresses.networking.k8s.io',
  ]
  const events = 'create+get+patch events.events.k8s.io'
  const scale = 'patch deployments/scale.apps'
  expect(await rolesOf('{ scale: up }')).toEqual([
    ['shop', ...least, scale, events],
    ['shop', ...least, scale, events],
  ])
  const [old, fresh] = await rolesOf('{ scaleDownOld: { replicas: 0 } }')
  expect([old?.includes(scale), fresh?.includes(scale)]).toEqual([true, false])
})
