import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { Plan } from '../../core/plan.ts'
import { clusterOf } from '../../ports/source.ts'
import { defineCheck, type Finding, fail, listed, pass, unseen } from '../check.ts'
import type { Values } from '../values.ts'

/** Stands for an API server whose metrics are there. */
const PRESENT = 'present'
const API = 'headgate_api'

/** Each as `group/version resource`, with the release that drops it where the API server knows. */
export type SeenApiUse = readonly string[] | Missing

export const deprecated = defineCheck({
  skip: (_plan, { hasPromql }) => (hasPromql ? null : 'no source answers PromQL'),
  ask: async (plan, world): Promise<SeenApiUse> => {
    const label = clusterLabelOf(plan)
    const values = await world.values(deprecatedQuery(label, plan.clusters.new), { cluster: label, workload: API })
    return isMissing(values) ? values : readUse(values, plan.clusters.new)
  },
  judge: judgeDeprecated,
})

/** Where nobody asks for a deprecated API there is no series: that the API server is measured at all tells it apart. */
export function deprecatedQuery(label: string, cluster: string): string {
  const of = `{${label}=${JSON.stringify(cluster)}}`
  const parts = '"group", "version", "resource", "removed_release"'
  const use = `label_join(apiserver_requested_deprecated_apis${of} > 0, "${API}", "|", ${parts})`
  const seen = `label_replace(count by (${label}) (apiserver_current_inflight_requests${of}), "${API}", "${PRESENT}", "", "")`
  return `count by (${label}, ${API}) (${use}) or ${seen}`
}

export function readUse(values: Values, cluster: string): SeenApiUse {
  const groups = [...values.keys()].filter((group) => clusterOf(group) === cluster)
  const apis = groups.map((group) => group.slice(cluster.length + 1))
  if (apis.length === 0) return missing('empty', 'no metrics of the API server of NEW')
  return apis
    .filter((api) => api !== PRESENT)
    .map((api) => {
      const [group = '', version = '', resource = '', removed = ''] = api.split('|')
      const name = `${group === '' ? '' : `${group}/`}${version} ${resource}`
      return removed === '' ? name : `${name} (gone in ${removed})`
    })
    .sort()
}

/** Nobody asks NEW for what a later version of it will not serve. */
export function judgeDeprecated(seen: SeenApiUse): Finding {
  if ('kind' in seen) return unseen('use of deprecated APIs', seen)
  return seen.length > 0
    ? fail(`NEW was asked for ${listed(seen)}`, 'find who asks in the audit log (annotation k8s.io/deprecated)')
    : pass('NEW was asked for no deprecated API since its API server started')
}

/** The clusters' label as the workload's SLIs name it. */
function clusterLabelOf({ slis }: Plan): string {
  return slis[0]?.labels.cluster ?? 'cluster'
}
