import type { Plan } from '../../core/plan.ts'
import { defineCheck, type Finding, fail, nameOf, pass, withoutObjects } from '../check.ts'
import { askBoth, bothOf, type SeenWorkloads } from './both.ts'

export const objects = defineCheck({ skip: withoutObjects, ask: askBoth, judge: judgeObjects })

/** The object is in both clusters, and all of its replicas in NEW are ready. */
export function judgeObjects(seen: SeenWorkloads, plan: Plan): Finding {
  const both = bothOf(seen, plan)
  if ('outcome' in both) return both
  const { ref, isObserved, readyReplicas, wantedReplicas } = both.new
  const name = `${nameOf(ref)} in NEW`
  if (!isObserved) return fail(`${name} was changed, and its controller has not seen it yet`, 'wait for the deploy')
  if (wantedReplicas === 0) return fail(`${name} is scaled to 0 replicas`, 'scale it up')
  const replicas = `${readyReplicas} of ${wantedReplicas} replicas of ${name} are ready`
  return readyReplicas < wantedReplicas
    ? fail(`only ${replicas}`, 'see its pods and their events: kubectl describe')
    : pass(replicas)
}
