import type { Json } from './json-patch.ts'
import { RESOURCES } from './resources.ts'

/** What discovery answers at a path; null: it is none of its paths. */
export function discoveryOf(path: string): Json {
  if (path === '/version') return { major: '1', minor: '33', gitVersion: 'v1.33.0' }
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] }
  if (path === '/apis') {
    const groups = Map.groupBy(
      RESOURCES.filter(({ group }) => group !== ''),
      ({ group }) => group,
    )
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [...groups].map(([name, types]) => {
        const versions = [...new Set(types.map(({ version }) => version))].map((version) => ({
          groupVersion: `${name}/${version}`,
          version,
        }))
        return { name, versions, preferredVersion: versions[0] ?? null }
      }),
    }
  }
  const [, group = '', version] = /^\/(?:api|apis\/([^/]+))\/([^/]+)$/.exec(path) ?? []
  const types = RESOURCES.filter((type) => type.group === group && type.version === version)
  if (types.length === 0) return null
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? String(version) : `${group}/${version}`,
    resources: types.flatMap(({ plural, kind, hasStatus }) => [
      { name: plural, singularName: kind.toLowerCase(), namespaced: true, kind, verbs: ['get', 'list', 'watch'] },
      ...(hasStatus
        ? [{ name: `${plural}/status`, singularName: '', namespaced: true, kind, verbs: ['get', 'patch'] }]
        : []),
      ...(group === 'apps'
        ? [{ name: `${plural}/scale`, singularName: '', namespaced: true, kind: 'Scale', verbs: ['get', 'patch'] }]
        : []),
    ]),
  }
}
