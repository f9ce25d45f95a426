import { formatPercent } from './format.ts'
import type { PlanStep, Trial } from './plan.ts'
import { sameWeight } from './weights.ts'

type Labelled = Pick<PlanStep, 'weightPercent' | 'trial' | 'warm' | 'holdSeconds'>

/** Before the first step: no weight, and no trial. */
const START = { weightPercent: 0, trial: null } as const

/** What a step is, in a few words: `10 %`, `marked requests`, `wait at 10 %`, `warm-up at 0 %`, `approval at 10 %`. */
export function stepLabel(steps: readonly Labelled[], index: number): string {
  const step = steps[index]
  if (!step) return ''
  const { weightPercent, trial, warm, holdSeconds } = step
  const at = formatPercent(weightPercent)
  if (warm !== null) return `warm-up at ${at}`
  const before = steps[index - 1] ?? START
  const isMove = !sameWeight(before.weightPercent, weightPercent) || trialLabel(before.trial) !== trialLabel(trial)
  if (!isMove) return `${holdSeconds > 0 ? 'wait' : 'approval'} at ${at}`
  return trialLabel(trial) ?? at
}

/** null: there is none. */
export function trialLabel(trial: Trial | null): string | null {
  if (trial === null) return null
  return trial.kind === 'marked' ? 'marked requests' : `copies of ${formatPercent(trial.percent)}`
}
