import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createCluster } from '../../src/cluster/cluster.ts'
import { isMissing, type Missing } from '../../src/core/observation.ts'
import type { ObjectRef } from '../../src/core/plan.ts'
import type { Cluster, ClusterWorkload } from '../../src/ports/cluster.ts'
import { KubernetesFailure } from '../../src/shared/kubernetes/failure.ts'
import { systemClock } from '../../src/telemetry/runtime.ts'
import type { ApiServer } from '../support/api-server.ts'
import { cronJob, deployment, statefulSet } from '../support/kubernetes-objects.ts'
import { until } from '../support/until.ts'

const PATHS: Readonly<Record<string, string>> = {
  ConfigMap: '/api/v1/namespaces/NS/configmaps',
  Service: '/api/v1/namespaces/NS/services',
  Deployment: '/apis/apps/v1/namespaces/NS/deployments',
  StatefulSet: '/apis/apps/v1/namespaces/NS/statefulsets',
  HorizontalPodAutoscaler: '/apis/autoscaling/v1/namespaces/NS/horizontalpodautoscalers',
  PodDisruptionBudget: '/apis/policy/v1/namespaces/NS/poddisruptionbudgets',
  Ingress: '/apis/networking.k8s.io/v1/namespaces/NS/ingresses',
  CronJob: '/apis/batch/v1/namespaces/NS/cronjobs',
  Job: '/apis/batch/v1/namespaces/NS/jobs',
  Event: '/apis/events.k8s.io/v1/namespaces/NS/events',
}

interface Answer {
  readonly metadata: { readonly uid: string; readonly labels?: Record<string, string> }
  readonly [key: string]: unknown
}

/**
 * What a cluster must be to Headgate, held against any API server whose user may do everything. Nothing here needs pods to
 * run: no image is ever there, and no controller has to be.
 */
export function clusterConformance(name: string, start: () => Promise<ApiServer>): void {
  describe(`${name} is a cluster`, () => {
    let server: ApiServer
    let cluster: Cluster
    let namespace: string
    beforeAll(async () => {
      server = await start()
      cluster = createCluster({ kubeconfig: server.kubeconfig, context: null }, { clock: systemClock })
    })
    beforeEach(async () => {
      namespace = await server.makeNamespace()
    })
    afterAll(async () => {
      await cluster.close()
      await server.remove()
    })

    const signal = () => AbortSignal.timeout(120_000)
    const pathOf = (kind: string) => (PATHS[kind] ?? '').replace('NS', namespace)
    async function ask(call: Parameters<ApiServer['client']['ask']>[0]): Promise<Answer> {
      const answer = await server.client.ask(call, signal())
      if (answer instanceof KubernetesFailure) throw new Error(`${call.path}: ${answer.detail}`)
      return answer as Answer
    }
    const get = (kind: string, object: string) => ask({ method: 'GET', path: `${pathOf(kind)}/${object}` })
    const make = (kind: string, object: string, parts: object, metadata: object = {}) => {
      const value = { ...parts, metadata: { ...metadata, name: object } }
      return ask({ method: 'POST', path: pathOf(kind), body: { type: 'application/json', value } })
    }
    const refOf = (object: string, kind: ObjectRef['kind'] = 'Deployment'): ObjectRef => ({
      kind,
      namespace,
      name: object,
    })
    async function look(object: string, kind?: ObjectRef['kind']): Promise<ClusterWorkload> {
      const seen = known(await cluster.workload(refOf(object, kind), signal()))
      if (seen === null) throw new Error(`${object} is not there`)
      return seen
    }

    test('a workload that is not there is null, in a namespace that is not there too', async () => {
      expect(await cluster.workload(refOf('a'), signal())).toBeNull()
      expect(await cluster.workload({ ...refOf('a'), namespace: 'headgate-test-nowhere' }, signal())).toBeNull()
    })

    test('a workload has its replicas, containers and labels', async () => {
      const init = [{ name: 'prepare', image: 'registry.example/prepare:2' }]
      await make('Deployment', 'a', deployment('a', 3, { initContainers: init }))
      expect(await look('a')).toMatchObject({
        ref: refOf('a'),
        wantedReplicas: 3,
        containers: [
          { name: 'prepare', image: 'registry.example/prepare:2' },
          { name: 'main', image: 'registry.example/a:1' },
        ],
        podLabels: { app: 'a' },
        autoscaler: null,
        claims: [],
        kinds: ['apps/v1/Deployment'],
      })
    })

    test('a StatefulSet has the claims of its templates, and pods have those that they mount', async () => {
      await make('StatefulSet', 'db', statefulSet('db', 1, ['data']))
      expect(await look('db', 'StatefulSet')).toMatchObject({ claims: ['data'], kinds: ['apps/v1/StatefulSet'] })
      const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'uploads' } }]
      await make('Deployment', 'a', deployment('a', 1, { volumes }))
      expect((await look('a')).claims).toEqual(['uploads'])
    })

    test('configs are those that the pods mount or read, with the same digest for the same data', async () => {
      const data = { one: '1', two: '2' }
      await make('ConfigMap', 'mounted', { data })
      await make('ConfigMap', 'twin', { data: { two: '2', one: '1' } })
      await make('ConfigMap', 'other', { data: { ...data, two: '3' } })
      const env = [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'twin', key: 'one' } } },
        { name: 'B', value: 'plain' },
        { name: 'C', valueFrom: { secretKeyRef: { name: 'hidden', key: 'password', optional: true } } },
      ]
      const containers = [
        {
          name: 'main',
          image: 'registry.example/a:1',
          env,
          envFrom: [{ configMapRef: { name: 'gone', optional: true } }],
        },
      ]
      const volumes = [
        { name: 'm', configMap: { name: 'mounted' } },
        {
          name: 'p',
          projected: { sources: [{ configMap: { name: 'other' } }, { configMap: { name: 'kube-root-ca.crt' } }] },
        },
      ]
      await make('Deployment', 'a', deployment('a', 1, { containers, volumes }))
      const digests = new Map((await look('a')).configs.map(({ name: config, digest }) => [config, digest]))
      expect([...digests.keys()]).toEqual(['gone', 'mounted', 'other', 'twin'])
      expect(digests.get('gone')).toBeNull()
      expect(digests.get('twin')).toBe(digests.get('mounted'))
      expect(digests.get('other')).not.toBe(digests.get('mounted'))
    })

    test('what belongs to a workload tells which API versions it needs; what belongs to another does not', async () => {
      const applied = { 'kubectl.kubernetes.io/last-applied-configuration': '{"apiVersion":"autoscaling/v2beta2"}' }
      const owner = {
        apiVersion: 'shop.example/v1',
        kind: 'Store',
        name: 's',
        uid: '0d4c7e2a-0000-4000-8000-000000000000',
      }
      await make('Deployment', 'a', deployment('a', 1), { ownerReferences: [owner] })
      await make('Deployment', 'b', deployment('b', 1))
      const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' }
      const scaler = { spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 9 } }
      await make('HorizontalPodAutoscaler', 'scaler', scaler, { annotations: applied })
      await make('PodDisruptionBudget', 'budget', {
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'a' } } },
      })
      await make('Service', 'front', { spec: { selector: { app: 'a' }, ports: [{ port: 80 }] } })
      const backend = { service: { name: 'front', port: { number: 80 } } }
      await make('Ingress', 'door', {
        spec: { rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
      })
      const seen = await look('a')
      expect(seen.autoscaler).toEqual({ name: 'scaler', minReplicas: 2, maxReplicas: 9 })
      expect(seen.kinds).toEqual([
        'apps/v1/Deployment',
        'autoscaling/v1/HorizontalPodAutoscaler',
        'autoscaling/v2beta2/HorizontalPodAutoscaler',
        'networking.k8s.io/v1/Ingress',
        'policy/v1/PodDisruptionBudget',
        'shop.example/v1/Store',
      ])
      expect(await look('b')).toMatchObject({ autoscaler: null, kinds: ['apps/v1/Deployment'] })
    })

    test('served kinds are those of all groups, custom ones among them', async () => {
      const kinds = [...known(await cluster.servedKinds(signal()))]
      expect(kinds).toEqual(
        expect.arrayContaining([
          'v1/ConfigMap',
          'apps/v1/Deployment',
          'policy/v1/PodDisruptionBudget',
          'test.headgate/v1/Widget',
        ]),
      )
      expect(kinds.filter((kind) => kind.startsWith('autoscaling/v2beta'))).toEqual([])
      expect(kinds).not.toContain('apps/v1/Scale')
    })

    test('disruption budgets have their labels; one without a selector covers nothing', async () => {
      const expression = { key: 'app', operator: 'In', values: ['a', 'b'] }
      await make('PodDisruptionBudget', 'exact', { spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } } })
      await make('PodDisruptionBudget', 'loose', {
        spec: { minAvailable: 1, selector: { matchExpressions: [expression] } },
      })
      await make('PodDisruptionBudget', 'none', { spec: { minAvailable: 1 } })
      const budgets = known(await cluster.disruptionBudgets(namespace, signal()))
      expect(
        budgets.map(({ name: budget, matchLabels, hasExpressions }) => [budget, matchLabels, hasExpressions]),
      ).toEqual([
        ['exact', { app: 'a' }, false],
        ['loose', {}, true],
      ])
    })

    test('permissions are told one by one, in their order', async () => {
      const may = (resource: string) => ({ verb: 'get', group: 'apps', resource, namespace })
      expect(await cluster.mayDo([may('deployments'), may('deployments/scale')], signal())).toEqual([true, true])
    })

    test('its clock is told to a second', async () => {
      const ahead = known(await cluster.clockAheadMs(signal()))
      expect(Math.abs(ahead)).toBeLessThan(server.clockToleranceMs)
    })

    test('scaling sets the replicas and nothing else', async () => {
      for (const kind of ['Deployment', 'StatefulSet'] as const) {
        await make(kind, 'a', kind === 'Deployment' ? deployment('a', 1) : statefulSet('a', 1))
        expect(await cluster.scale(refOf('a', kind), 5, signal())).toBeNull()
        expect(await look('a', kind)).toMatchObject({
          wantedReplicas: 5,
          containers: [{ image: 'registry.example/a:1' }],
        })
        expect(await cluster.scale(refOf('a', kind), 0, signal())).toBeNull()
        expect(await look('a', kind)).toMatchObject({ wantedReplicas: 0 })
      }
      expect(await cluster.scale(refOf('ghost'), 5, signal())).toMatchObject({ kind: 'missing', why: 'refused' })
    })

    test('a Job comes of the template, with its own environment on top, once a name', async () => {
      await make('CronJob', 'smoke', cronJob())
      const request = {
        namespace,
        cronJob: 'smoke',
        name: 'smoke-1',
        env: { TARGET: 'new', STEP: '2' },
        deadlineSeconds: 90,
      }
      expect(await cluster.job(request, signal())).toMatchObject({ outcome: 'running' })
      const first = await get('Job', 'smoke-1')
      const both = await Promise.all([cluster.job(request, signal()), cluster.job(request, signal())])
      expect(both).toMatchObject([{ outcome: 'running' }, { outcome: 'running' }])
      const job = await get('Job', 'smoke-1')
      expect(job.metadata.uid).toBe(first.metadata.uid)
      expect(job.metadata.labels).toMatchObject({ team: 'shop', 'app.kubernetes.io/managed-by': 'headgate' })
      expect(job).toMatchObject({
        spec: {
          activeDeadlineSeconds: 90,
          backoffLimit: 0,
          template: {
            spec: {
              containers: [
                {
                  name: 'main',
                  env: [
                    { name: 'DEPTH', value: '3' },
                    { name: 'TARGET', value: 'new' },
                    { name: 'STEP', value: '2' },
                  ],
                },
              ],
            },
          },
        },
      })
    })

    test('two who make a Job at one moment make one', async () => {
      await make('CronJob', 'smoke', cronJob())
      const request = { namespace, cronJob: 'smoke', name: 'smoke-2', env: {}, deadlineSeconds: 90 }
      const answers = await Promise.all(Array.from({ length: 5 }, () => cluster.job(request, signal())))
      expect(answers.map((one) => !isMissing(one) && one.outcome)).toEqual(Array.from({ length: 5 }, () => 'running'))
    })

    test('a Job without its CronJob is missing, with the name', async () => {
      const request = { namespace, cronJob: 'ghost', name: 'ghost-1', env: {}, deadlineSeconds: 90 }
      expect(await cluster.job(request, signal())).toMatchObject({
        kind: 'missing',
        detail: expect.stringContaining(`get CronJob ${namespace}/ghost`),
      })
    })

    test('an event is told on the object, and counted up when it is told again', async () => {
      const { metadata } = await make('Deployment', 'a', deployment('a', 1))
      const note = { reason: 'WeightRaised', message: 'weight 1 % → 5 %', type: 'Normal' } as const
      for (let times = 0; times < 3; times += 1) expect(await cluster.tell(refOf('a'), note, signal())).toBeNull()
      expect(
        await cluster.tell(refOf('a'), { ...note, message: 'ä'.repeat(2000), type: 'Warning' }, signal()),
      ).toBeNull()
      const own = await until('both events are listed', async () => {
        const { items } = await ask({ method: 'GET', path: pathOf('Event') })
        const found = (items as Record<string, unknown>[]).filter((one) => one.reportingController === 'headgate')
        return found.length === 2 && found
      })
      expect(own.find(({ type }) => type === 'Normal')).toMatchObject({
        reason: 'WeightRaised',
        note: 'weight 1 % → 5 %',
        regarding: { kind: 'Deployment', name: 'a', uid: metadata.uid },
        series: { count: 3 },
      })
      expect(own.find(({ type }) => type === 'Warning')).toMatchObject({ note: expect.stringMatching(/^ä{510}…$/) })
      expect(await cluster.tell(refOf('ghost'), note, signal())).toMatchObject({ kind: 'missing' })
    })
  })
}

/** What was learnt. */
function known<T>(answer: T | Missing): T {
  if (typeof answer === 'object' && answer !== null && 'kind' in answer && answer.kind === 'missing')
    throw new Error(`missing: ${(answer as Missing).detail}`)
  return answer as T
}
