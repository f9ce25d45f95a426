import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { JSON_PATCH, KubernetesClient, type KubernetesRequest } from '../../src/shared/kubernetes/client.ts'
import { KubernetesFailure } from '../../src/shared/kubernetes/failure.ts'
import { type FakeCluster, startFakeCluster } from '../fakes/kubernetes/cluster.ts'
import { typeOf } from '../fakes/kubernetes/server.ts'
import { type ApiServer, startFakeApiServer, useRealApiServer } from '../support/api-server.ts'
import { tellSkipped } from '../support/servers.ts'

const MERGE_PATCH = 'application/merge-patch+json'
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json'

const SERVERS: [string, () => Promise<ApiServer>][] = [['the fake', startFakeApiServer]]
const kubeconfig = process.env.HEADGATE_TEST_KUBECONFIG
if (kubeconfig === undefined)
  tellSkipped('the suite of a real Kubernetes API server needs one: HEADGATE_TEST_KUBECONFIG=/path/to/kubeconfig')
else SERVERS.push(['a real API server', () => useRealApiServer(kubeconfig)])

interface Answer {
  readonly metadata: {
    readonly resourceVersion: string
    readonly generation?: number
    readonly labels?: Record<string, string>
    readonly managedFields?: readonly { manager: string; operation: string; subresource?: string; fieldsV1: object }[]
  }
  readonly spec?: unknown
  readonly status?: unknown
  readonly data?: unknown
  readonly items?: readonly Answer[]
}

describe.each(SERVERS)('%s behaves as an API server', (_, start) => {
  let server: ApiServer
  let namespace: string
  beforeAll(async () => {
    server = await start()
  })
  beforeEach(async () => {
    namespace = await server.makeNamespace()
  })
  afterAll(() => server.remove())

  const signal = () => AbortSignal.timeout(120_000)
  const widgets = (rest = '') => `/apis/test.headgate/v1/namespaces/${namespace}/widgets${rest}`
  const configMaps = (rest = '') => `/api/v1/namespaces/${namespace}/configmaps${rest}`

  async function ask(request: KubernetesRequest): Promise<Answer> {
    const answer = await server.client.ask(request, signal())
    if (answer instanceof KubernetesFailure) throw new Error(`${answer.kind}: ${answer.detail}`)
    return answer as Answer
  }
  /** What kind of failure it is. */
  async function trouble(request: KubernetesRequest): Promise<string> {
    const answer = await server.client.ask(request, signal())
    return answer instanceof KubernetesFailure ? answer.kind : 'none'
  }
  const get = (path: string) => ask({ method: 'GET', path })
  const patching = (path: string, value: unknown, type: string = JSON_PATCH, query = {}): KubernetesRequest => ({
    method: 'PATCH',
    path,
    body: { type, value },
    query,
  })
  const patch = (...args: Parameters<typeof patching>) => ask(patching(...args))
  const creating = (path: string, value: unknown): KubernetesRequest => ({
    method: 'POST',
    path,
    body: { type: 'application/json', value },
    query: { fieldManager: 'creator' },
  })
  const createWidget = (spec: unknown = { size: 1, list: [{ weight: 1 }, { weight: 0 }] }) =>
    ask(creating(widgets(), { apiVersion: 'test.headgate/v1', kind: 'Widget', metadata: { name: 'a' }, spec }))
  const createConfigMap = (name: string, data: object = { key: 'value' }) =>
    ask(creating(configMaps(), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }))

  test('every change has a version of its own; no change keeps it', async () => {
    const first = await createWidget()
    const second = await patch(widgets('/a'), { spec: { size: 2 } }, MERGE_PATCH)
    expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion)
    const same = await patch(widgets('/a'), { spec: { size: 2 } }, MERGE_PATCH)
    expect(same.metadata.resourceVersion).toBe(second.metadata.resourceVersion)
  })

  test('the generation counts changes of the spec alone', async () => {
    expect((await createWidget()).metadata.generation).toBe(1)
    expect((await patch(widgets('/a'), { metadata: { labels: { x: 'y' } } }, MERGE_PATCH)).metadata.generation).toBe(1)
    expect((await patch(widgets('/a'), { spec: { size: 2 } }, MERGE_PATCH)).metadata.generation).toBe(2)
    expect((await patch(widgets('/a/status'), { status: { seen: 2 } }, MERGE_PATCH)).metadata.generation).toBe(2)
  })

  test('spec and status have a door each', async () => {
    await createWidget()
    await patch(widgets('/a'), { spec: { size: 2 }, status: { ready: true } }, MERGE_PATCH)
    expect(await get(widgets('/a'))).toMatchObject({ spec: { size: 2 } })
    expect((await get(widgets('/a'))).status).toBeUndefined()
    await patch(widgets('/a/status'), { spec: { size: 3 }, status: { ready: true } }, MERGE_PATCH)
    expect(await get(widgets('/a'))).toMatchObject({ spec: { size: 2 }, status: { ready: true } })
  })

  test('a JSON patch that tests the version changes what it names, and nothing else', async () => {
    const { metadata } = await createWidget()
    const changed = await patch(widgets('/a'), [
      { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
      { op: 'replace', path: '/spec/list/0/weight', value: 9 },
      { op: 'add', path: '/spec/list/-', value: { weight: 3 } },
    ])
    expect(changed.spec).toEqual({ size: 1, list: [{ weight: 9 }, { weight: 0 }, { weight: 3 }] })
  })

  test.each<[string, unknown[]]>([
    ['tests another version', [{ op: 'test', path: '/metadata/resourceVersion', value: '1' }]],
    ['tests another value', [{ op: 'test', path: '/spec/size', value: 2 }]],
    ['replaces what is not there', [{ op: 'replace', path: '/spec/none', value: 2 }]],
    ['removes what is not there', [{ op: 'remove', path: '/spec/none' }]],
  ])('a JSON patch that %s changes nothing, and is a conflict', async (_name, operations) => {
    await createWidget()
    const more = [{ op: 'add', path: '/spec/size', value: 5 }, ...operations]
    expect(await trouble(patching(widgets('/a'), more))).toBe('conflict')
    expect(await get(widgets('/a'))).toMatchObject({ spec: { size: 1 } })
  })

  test('a dry run answers what would be, and changes nothing', async () => {
    await createWidget()
    const operations = [{ op: 'replace', path: '/spec/size', value: 7 }]
    expect(await patch(widgets('/a'), operations, JSON_PATCH, { dryRun: 'All' })).toMatchObject({ spec: { size: 7 } })
    expect(await get(widgets('/a'))).toMatchObject({ spec: { size: 1 } })
  })

  test('an object that its schema does not allow is refused, and is no conflict', async () => {
    await createWidget()
    expect(await trouble(patching(widgets('/a'), { spec: { size: 11 } }, MERGE_PATCH))).toBe('refused')
    expect(await get(widgets('/a'))).toMatchObject({ spec: { size: 1 } })
  })

  test('a custom resource takes no strategic merge patch; a ConfigMap does', async () => {
    await createWidget()
    await createConfigMap('a')
    expect(await trouble(patching(widgets('/a'), { spec: { size: 2 } }, STRATEGIC_PATCH))).toBe('refused')
    const changed = await patch(configMaps('/a'), { data: { more: 'x' } }, STRATEGIC_PATCH)
    expect(changed.data).toEqual({ key: 'value', more: 'x' })
  })

  test('a merge patch removes what it sets to null', async () => {
    await createConfigMap('a', { one: '1', two: '2' })
    expect((await patch(configMaps('/a'), { data: { one: null } }, MERGE_PATCH)).data).toEqual({ two: '2' })
  })

  test('an update of an older version is a conflict', async () => {
    const first = await createWidget()
    await patch(widgets('/a'), { spec: { size: 2 } }, MERGE_PATCH)
    const body = { type: 'application/json', value: { ...first, spec: { size: 3 } } }
    expect(await trouble({ method: 'PUT', path: widgets('/a'), body })).toBe('conflict')
    const { resourceVersion: _version, ...metadata } = first.metadata
    const blind = { type: 'application/json', value: { ...first, metadata, spec: { size: 3 } } }
    expect(await trouble({ method: 'PUT', path: widgets('/a'), body: blind })).toBe('refused')
  })

  test('what exists is not created again, what is gone is not found', async () => {
    await createConfigMap('a')
    const again = creating(configMaps(), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } })
    expect(await trouble(again)).toBe('conflict')
    await ask({ method: 'DELETE', path: configMaps('/a') })
    expect(await trouble({ method: 'GET', path: configMaps('/a') })).toBe('not-found')
    expect(await trouble({ method: 'DELETE', path: configMaps('/a') })).toBe('not-found')
  })

  test('a resource that nobody serves is told from an object that is not there', async () => {
    const unknown = { method: 'GET', path: `/apis/nobody.headgate/v1/namespaces/${namespace}/things/a` } as const
    expect(await server.client.ask(unknown, signal())).toMatchObject({ kind: 'not-found', isUnknownResource: true })
    const known = { method: 'GET', path: widgets('/none') } as const
    expect(await server.client.ask(known, signal())).toMatchObject({ kind: 'not-found', isUnknownResource: false })
  })

  test('managedFields tell who wrote what last, status apart', async () => {
    await createWidget()
    await patch(widgets('/a'), [{ op: 'replace', path: '/spec/list/0/weight', value: 5 }], JSON_PATCH, {
      fieldManager: 'headgate',
    })
    await patch(widgets('/a/status'), { status: { ready: true } }, MERGE_PATCH, { fieldManager: 'controller' })
    const { managedFields = [] } = (await get(widgets('/a'))).metadata
    const of = (manager: string) => managedFields.find((one) => one.manager === manager)
    expect(of('creator')?.fieldsV1).toMatchObject({ 'f:spec': { 'f:size': {} } })
    expect(of('creator')?.fieldsV1).not.toMatchObject({ 'f:spec': { 'f:list': {} } })
    expect(of('headgate')).toMatchObject({ operation: 'Update', fieldsV1: { 'f:spec': { 'f:list': {} } } })
    expect(of('controller')).toMatchObject({ subresource: 'status' })
  })

  test('a list has the objects of its namespace, and a version to watch from', async () => {
    await createWidget()
    const { items, metadata } = await get(widgets())
    expect(items).toMatchObject([{ metadata: { name: 'a' }, spec: { size: 1 } }])
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(0)
  })

  test('a watch tells what came after that version, in order', async () => {
    const { metadata } = await get(configMaps())
    await createConfigMap('one')
    await patch(configMaps('/one'), { data: { key: 'other' } }, MERGE_PATCH)
    await ask({ method: 'DELETE', path: configMaps('/one') })
    const query = { watch: '1', resourceVersion: metadata.resourceVersion, timeoutSeconds: '1' }
    const text = await server.client.exchange({ method: 'GET', path: configMaps(), query }, signal())
    const events = String(text)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const own = events.filter(({ object }) => object.metadata.name === 'one')
    expect(own.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED'])
    const versions = own.map(({ object }) => Number(object.metadata.resourceVersion))
    expect(versions).toEqual(versions.toSorted((a, b) => a - b))
  })
})

describe('the fake as a server that forgets, or has somebody to forbid', () => {
  const signal = () => AbortSignal.timeout(120_000)

  test('a watch of a forgotten version ends with an error event of 410', async () => {
    const server = await startFakeCluster()
    const { client, remove } = await clientOf(server)
    server.create('configmaps', 'a', {})
    server.server.store.compact()
    const path = '/api/v1/namespaces/shop/configmaps'
    const text = await client.exchange({ method: 'GET', path, query: { watch: '1', resourceVersion: '1' } }, signal())
    expect(JSON.parse(String(text))).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
    await remove()
  })

  test('a watch ends with a bookmark of the newest version where it is asked for', async () => {
    const server = await startFakeCluster()
    const { client, remove } = await clientOf(server)
    const query = { watch: 'true', resourceVersion: '100', timeoutSeconds: '0', allowWatchBookmarks: 'true' }
    server.create('configmaps', 'a', {})
    const path = '/api/v1/namespaces/other/configmaps'
    const text = await client.exchange({ method: 'GET', path, query }, signal())
    const { metadata } = server.server.store.get(typeOf('configmaps'), 'shop', 'a')
    expect(JSON.parse(String(text))).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { resourceVersion: metadata.resourceVersion } },
    })
    await remove()
  })

  test.each([
    ['get', 'GET'],
    ['delete', 'DELETE'],
  ] as const)('a verb that is forbidden: %s', async (verb, method) => {
    const server = await startFakeCluster()
    const { client, remove } = await clientOf(server)
    server.create('configmaps', 'a', {})
    server.server.forbiddenVerbs.add(verb)
    const answer = await client.ask({ method, path: '/api/v1/namespaces/shop/configmaps/a' }, signal())
    expect(answer).toMatchObject({ kind: 'forbidden', detail: expect.stringContaining(`cannot ${verb} resource`) })
    await remove()
  })

  async function clientOf(cluster: FakeCluster) {
    const client = new KubernetesClient({ kubeconfig: cluster.kubeconfig.path, context: null })
    return {
      client,
      remove: async () => {
        await client.close()
        await cluster.remove()
      },
    }
  }
})
