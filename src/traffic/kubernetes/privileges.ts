import type { Privilege } from '../../ports/kind.ts'
import { rolePair } from '../../shared/kubernetes/rbac.ts'
import type { Resource } from './route.ts'

/** A Role with what is needed for these objects, and a RoleBinding that gives it to Headgate: one pair a namespace. */
export function rolesFor(
  objects: readonly { readonly context: string | null; readonly resource: Resource }[],
): readonly Privilege[] {
  const byNamespace = Map.groupBy(objects, ({ context, resource }) => JSON.stringify([context, resource.namespace]))
  return [...byNamespace.values()].flatMap((members): Privilege[] => {
    const [first] = members
    if (first === undefined) return []
    const { namespace, group } = first.resource
    // Another kind of provider may want its own in the same namespace: one must not replace the other.
    const rules = rulesFor(members.map(({ resource }) => resource))
    return [...rolePair(`headgate.${group}`, namespace, first.context, rules)]
  })
}

function rulesFor(resources: readonly Resource[]) {
  const byPlural = Map.groupBy(resources, ({ group, plural }) => `${plural}.${group}`)
  return [...byPlural.values()].flatMap((members) =>
    members.slice(0, 1).map(({ group, plural }) => ({
      apiGroups: [group],
      resources: [plural],
      resourceNames: [...new Set(members.map(({ name }) => name))].sort(),
      verbs: ['get', 'patch'],
    })),
  )
}
