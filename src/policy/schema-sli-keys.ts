import { z } from 'zod'
import type { Harm } from '../core/plan.ts'
import { about, percent } from '../shared/schema.ts'
import { labelName, text } from './schema-names.ts'

/** Keys that every form of SLI has. */
export const common = {
  source: text().optional().meta(about('Kind of the source to ask; needed when there are several', 'prometheus')),
  labels: z
    .strictObject({
      cluster: labelName().prefault('cluster').meta(about('Label whose value names the cluster', 'cluster')),
      workload: labelName().prefault('service').meta(about('Label whose value names the workload', 'service')),
    })
    .prefault({})
    .meta(about('Labels that say whose a series is', { cluster: 'cluster', workload: 'service' })),
}

export const objective = percent({ min: 50, max: 99.999, decimals: 3 }).meta(
  about('Share of good events promised: from 50% to 99.999%', '99.9%'),
)

export function worst(usual: Harm) {
  return z
    .enum(['halt', 'revert'])
    .prefault(usual)
    .meta(about('The worst that this SLI may cause: `halt` caps every `revert` of the policy', usual))
}
