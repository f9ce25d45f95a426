import { followApproval, scaleDownIndex } from './approval.ts'
import { scaleOldDown } from './capacity.ts'
import { type Draft, enter, unhold } from './draft.ts'
import { canWatchOld, isDrained, tellQuiet } from './drain.ts'
import { followDrift } from './drift.ts'
import { dropChecks } from './follow-checks.ts'
import { confirm } from './force.ts'
import { formatSpan } from './format.ts'
import { runHooks } from './hooks.ts'
import { followLateWrites } from './late-write.ts'
import { hasOtherHold } from './state.ts'
import { restoreTtls } from './ttl.ts'

/** OLD is done with once nobody came to it for the drain time; without anything that counts requests, a person must look. */
export function followDraining(draft: Draft): void {
  const { plan } = draft
  dropChecks(draft)
  // Until it has ended, its weight is its own: OLD is never quiet while somebody else sends traffic there.
  confirm(draft)
  followDrift(draft)
  const isQuiet = isDrained(draft)
  const isAdvanced = draft.state.advancedStepIndex === plan.steps.length + 1
  if (canWatchOld(draft) && !isQuiet && !isAdvanced) return
  if (isAdvanced) unhold(draft, 'blind', 'a person has looked')
  if (hasOtherHold(draft.state, ['hook']) || runHooks(draft, 'before-completion', null) !== 'done') return
  const isProven = isQuiet && plan.drainSeconds > 0
  if (isProven) tellQuiet(draft)
  enter(draft, { name: 'completed' }, isProven ? `old was quiet for ${formatSpan(plan.drainSeconds)}` : unproven(draft))
}

export function followCompleted(draft: Draft): void {
  const { closed } = draft.state
  restoreTtls(draft)
  const wanted = draft.plan.capacity?.oldAfterwards
  if (!wanted || closed !== null) return
  const what = `scaling old down to ${wanted.replicas} replicas`
  if (followApproval(draft, scaleDownIndex(draft), what)) scaleOldDown(draft)
}

export function followReverted(draft: Draft): void {
  followLateWrites(draft)
  restoreTtls(draft)
  runHooks(draft, 'after-revert', null)
}

/** Why it ends without a proof that nobody comes to OLD any more. */
function unproven(draft: Draft): string {
  const { advancedStepIndex } = draft.state
  const look = 'look at old before you remove it'
  if (advancedStepIndex === draft.plan.steps.length + 1) return `advanced by a person; ${look}`
  return canWatchOld(draft) ? `the policy has no drain time; ${look}` : `nothing counts requests at old; ${look}`
}
