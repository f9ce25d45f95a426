import { describe, expect, test } from 'vitest'
import { gatewayApi } from '../../src/traffic/gateway-api/kind.ts'
import { istio } from '../../src/traffic/istio/kind.ts'
import { metadataSchema } from '../../src/traffic/kubernetes/route.ts'
import { otherWriterOf } from '../../src/traffic/kubernetes/writers.ts'
import { ref, useRoute } from '../support/gateway-api.ts'

const ROUTE = { namespace: 'shop', route: 'checkout', old: 'blue', new: 'green' }
const SERVICE = { namespace: 'shop', virtualService: 'checkout', old: 'blue', new: 'green' }

describe('who else writes', () => {
  const place = {
    resource: {
      group: 'gateway.networking.k8s.io',
      version: 'v1',
      plural: 'httproutes',
      kind: 'HTTPRoute',
      namespace: 'shop',
      name: 'checkout',
    },
    weightsPath: '.spec.rules[].backendRefs[].weight',
    listPointer: '/spec/rules',
    hasTrials: true,
  }
  const managed = (...managers: readonly string[]) => ({ managedFields: managers.map((manager) => ({ manager })) })

  test.each<[string, object, string | null]>([
    ['nobody', managed('headgate'), null],
    ['a person', managed('kubectl-edit', 'kubectl-client-side-apply', 'helm'), null],
    ['Argo CD', managed('headgate', 'argocd-controller'), 'RespectIgnoreDifferences=true'],
    ['Argo CD', managed('argocd-application-controller'), 'jqPathExpressions'],
    ['Argo CD', { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:x' } }, '.spec.rules[].backendRefs[].weight'],
    ['Flux', managed('kustomize-controller'), 'kustomize.toolkit.fluxcd.io/ssa: IfNotPresent'],
    ['Flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }, 'suspend its Kustomization'],
    [
      'nobody, Flux was told',
      { ...managed('kustomize-controller'), annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' } },
      null,
    ],
    [
      'nobody, Flux was switched off',
      { ...managed('kustomize-controller'), annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } },
      null,
    ],
    [
      'Flux, merging',
      { ...managed('kustomize-controller'), annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'Merge' } },
      'suspend its Kustomization',
    ],
    ['a HelmRelease', managed('helm-controller'), 'spec.driftDetection ignore /spec/rules of kind HTTPRoute'],
    ['Argo Rollouts', managed('rollouts-controller'), 'trafficRouting'],
    ['Flagger', managed('flagger'), 'Canary'],
    ['a controller, in the status alone', { managedFields: [{ manager: 'flagger', subresource: 'status' }] }, null],
  ])('%s: %j', (_, metadata, advice) => {
    const parsed = metadataSchema.parse({ resourceVersion: '1', generation: 1, ...metadata })
    const said = otherWriterOf(parsed, place)
    expect(said).toEqual(advice === null ? null : expect.stringContaining(advice))
  })

  test.each([
    [true, true],
    [false, false],
  ])('Argo CD is to ignore the whole list only where trials change more than weights: %j', (hasTrials, isNamed) => {
    const metadata = metadataSchema.parse({ resourceVersion: '1', generation: 1, ...managed('argocd-controller') })
    const said = otherWriterOf(metadata, { ...place, hasTrials }) ?? ''
    expect(said.includes('.spec.rules whole')).toBe(isNamed)
  })

  test('it is in readings, and a warning of doctor, and stays so after a write of ours', async () => {
    const user = await useRoute(null)
    const spec = { rules: [{ backendRefs: [ref('blue', 1), ref('green', 0)] }] }
    const metadata = { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:x' } }
    user.cluster.create('httproutes', 'checkout', { metadata, spec }, 'argocd-controller')
    await user.write(10)
    expect(await user.read()).toMatchObject({ weightPercent: 10, otherWriter: expect.stringContaining('Argo CD') })
    expect(await user.inspect()).toMatchObject([{ level: 'warn', problem: { code: 'TRAFFIC_OTHER_WRITER' } }])
  })
})

describe('the privileges', () => {
  test('one Role a namespace, with the objects by name and what is done with them, and whose it is', () => {
    const targets = [{ route: 'search' }, {}, { kind: 'GRPCRoute' }, { namespace: 'edge', context: 'prod-b' }].map(
      (parts, index) => ({ id: String(index), settings: gatewayApi.settings.parse({ ...ROUTE, ...parts }) }),
    )
    const documents = gatewayApi.privilegesFor(targets, { kubeconfig: null })
    const rule = (resource: string, ...resourceNames: readonly string[]) => ({
      apiGroups: ['gateway.networking.k8s.io'],
      resources: [resource],
      resourceNames,
      verbs: ['get', 'patch'],
    })
    expect(documents).toMatchObject([
      {
        title: 'Role in namespace shop',
        format: 'yaml',
        document: { kind: 'Role', rules: [rule('httproutes', 'checkout', 'search'), rule('grpcroutes', 'checkout')] },
      },
      {
        document: {
          kind: 'RoleBinding',
          metadata: { namespace: 'shop' },
          roleRef: { name: 'headgate.gateway.networking.k8s.io' },
        },
      },
      { title: 'Role in namespace edge of prod-b', document: { rules: [rule('httproutes', 'checkout')] } },
      { document: { kind: 'RoleBinding' } },
    ])
    const [role] = istio.privilegesFor([{ id: 'a', settings: istio.settings.parse(SERVICE) }], { kubeconfig: null })
    expect(role?.document).toMatchObject({
      rules: [{ apiGroups: ['networking.istio.io'], resources: ['virtualservices'], resourceNames: ['checkout'] }],
    })
  })
})

describe('the settings', () => {
  test.each<[string, object, boolean]>([
    ['the least', {}, true],
    [
      'a backend of its own kind',
      { new: { name: 'green', kind: 'ServiceImport', group: 'multicluster.x-k8s.io' } },
      true,
    ],
    ['a backend by its port', { new: { name: 'blue', port: 8080 } }, true],
    ['both sides alike', { new: 'blue' }, false],
    ['both sides alike, one at length', { new: { name: 'blue' } }, false],
    ['a name that is a path', { route: '../secrets' }, false],
    ['a namespace with capitals', { namespace: 'Shop' }, false],
    ['another kind of route', { kind: 'TCPRoute' }, false],
    ['a rule of no place', { rule: -1 }, false],
    ['a rule without a name', { rule: '' }, false],
    ['a port out of range', { new: { name: 'green', port: 70_000 } }, false],
    ['an unknown key', { weight: 10 }, false],
    ['a context with a line break', { context: 'a\nb' }, false],
  ])('%s', (_, parts, isGood) => {
    expect(gatewayApi.settings.safeParse({ ...ROUTE, ...parts }).success).toBe(isGood)
  })

  test('are plain JSON, so that a pinned plan reads back the same', () => {
    for (const parsed of [gatewayApi.settings.parse(ROUTE), istio.settings.parse(SERVICE)])
      expect(JSON.parse(JSON.stringify(parsed))).toEqual(parsed)
  })

  test('a scope is one object of one cluster, a place one of its rules', () => {
    const scopeOf = (parts: object) => gatewayApi.scopeOf(gatewayApi.settings.parse({ ...ROUTE, ...parts }))
    expect(scopeOf({})).toBe('shop/HTTPRoute/checkout')
    expect(scopeOf({ context: 'edge' })).toBe('edge/shop/HTTPRoute/checkout')
    expect(scopeOf({ rule: 1 })).toBe(scopeOf({ rule: 'main' }))
    const placeOf = (parts: object) => gatewayApi.placeOf(gatewayApi.settings.parse({ ...ROUTE, ...parts }))
    expect([placeOf({}), placeOf({ rule: 1 }), placeOf({ rule: 'main' })]).toEqual([
      'checkout',
      'checkout/1',
      'checkout/main',
    ])
    expect(istio.placeOf(istio.settings.parse({ ...SERVICE, route: 'main' }))).toBe('checkout/main')
    expect(istio.scopeOf(istio.settings.parse({ ...SERVICE, context: 'edge' }))).toBe('edge/shop/checkout')
  })

  test('a kubeconfig is an absolute path', () => {
    expect(gatewayApi.account?.safeParse({ kubeconfig: '/etc/kube/config' }).success).toBe(true)
    expect(gatewayApi.account?.safeParse({ kubeconfig: 'config' }).success).toBe(false)
    expect(gatewayApi.account?.parse({})).toEqual({ kubeconfig: null })
  })
})
