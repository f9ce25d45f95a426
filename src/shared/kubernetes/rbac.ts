const RBAC = 'rbac.authorization.k8s.io'

/** A rule of a Role. */
export type RoleRule = {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

/** A Role with these rules, and a RoleBinding that gives it to Headgate, each with its title. `of` says which cluster. */
export function rolePair(name: string, namespace: string, of: string | null, rules: readonly RoleRule[]) {
  const where = of === null ? `namespace ${namespace}` : `namespace ${namespace} of ${of}`
  const metadata = { name, namespace }
  return [
    {
      title: `Role in ${where}`,
      format: 'yaml',
      document: { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules },
    },
    {
      title: `RoleBinding in ${where}: the subject is whom the kubeconfig names, here the service account of the chart`,
      format: 'yaml',
      document: {
        apiVersion: `${RBAC}/v1`,
        kind: 'RoleBinding',
        metadata,
        roleRef: { apiGroup: RBAC, kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name: 'headgate', namespace: 'headgate' }],
      },
    },
  ] as const
}
