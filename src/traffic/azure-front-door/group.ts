import type { AFDOriginGroup } from '@azure/arm-cdn'
import { z } from 'zod'
import { type Problem, problem } from '../../core/problem.ts'
import { badAzureAnswer } from '../azure-call.ts'
import { nameOf } from './origins.ts'
import type { FrontDoorSettings } from './settings.ts'

/**
 * An origin that is slower than the fastest by more than the group's sensitivity gets nothing, whatever its weight.
 * Front Door's own default of 50 ms is less than two regions differ; from this on (of 1,000 at most) clusters are
 * taken as near.
 */
const MIN_SENSITIVITY_MS = 500

const DEFAULT_SENSITIVITY_MS = 50

const groupShape = z.object({
  loadBalancingSettings: z.object({ additionalLatencyInMilliseconds: z.number().nullish() }),
  sessionAffinityState: z.string().nullish(),
})

/** What in the group's settings keeps weights from being shares. */
export function groupWarnings(settings: FrontDoorSettings, group: AFDOriginGroup): readonly Problem[] {
  const checked = groupShape.safeParse(group)
  if (!checked.success)
    return [badAzureAnswer(nameOf(settings), `with no group (${checked.error.issues[0]?.path.join('.')})`)]
  const { loadBalancingSettings, sessionAffinityState } = checked.data
  // Without one of its own, a group has Front Door's.
  const sensitivityMs = loadBalancingSettings.additionalLatencyInMilliseconds ?? DEFAULT_SENSITIVITY_MS
  const warnings: Problem[] = []
  if (sensitivityMs < MIN_SENSITIVITY_MS)
    warnings.push(
      problem(
        'TRAFFIC_BY_LATENCY',
        `${nameOf(settings)} has a latency sensitivity of ${sensitivityMs} ms: a cluster that is farther than that gets ` +
          'nothing, whatever its weight',
        { hint: `set additionalLatencyInMilliseconds to ${MIN_SENSITIVITY_MS} or more` },
      ),
    )
  if (sessionAffinityState === 'Enabled')
    warnings.push(
      problem('TRAFFIC_STICKY', `${nameOf(settings)} has session affinity: who has its cookie stays where he is`, {
        hint: 'disable sessionAffinityState, or let steps hold for longer than sessions last',
      }),
    )
  return warnings
}
