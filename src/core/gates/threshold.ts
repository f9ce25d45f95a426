import { formatNumber } from '../format.ts'
import type { SliReading } from '../observation.ts'
import type { Bound, Gate } from '../plan.ts'
import { type GateContext, missingVerdict, type Verdict, verdictOf } from './verdict.ts'

type ThresholdGate = Extract<Gate, { kind: 'threshold' }>

/** NEW's value against a fixed bound: harm beyond it, a pass within it once the weight is in force. */
export function judgeThreshold(gate: ThresholdGate, reading: SliReading, context: GateContext): Verdict {
  const verdict = verdictOf(gate.id)
  if (reading.kind === 'missing') return verdict('blind', `${gate.sli} cannot be read: ${reading.detail}`)
  if (reading.kind === 'counts') return verdict('blind', `${gate.sli} gave counts where a value was expected`)
  const { new: fresh, old } = reading.value
  if (typeof fresh !== 'number') return missingVerdict(gate.id, `${gate.sli} of new`, fresh, context)

  const evidence = { newValue: fresh, oldValue: typeof old === 'number' ? old : null, ...gate.bound }
  const told = `${gate.sli}: new has ${formatNumber(fresh)} (${describe(gate.bound)}), old ${typeof old === 'number' ? formatNumber(old) : 'cannot be read'}`
  if (!isWithin(fresh, gate.bound)) return verdict(gate.then, told, evidence)
  return context.inForce
    ? verdict('pass', told, evidence)
    : verdict('wait', `${told}; the weight is not in force yet`, evidence)
}

/** True when OLD's value is known and within the bound. */
export function oldIsWithin(gate: ThresholdGate, reading: SliReading): boolean {
  if (reading.kind !== 'value') return false
  const { old } = reading.value
  return typeof old === 'number' && isWithin(old, gate.bound)
}

function isWithin(value: number, bound: Bound): boolean {
  return 'max' in bound ? value <= bound.max : value >= bound.min
}

function describe(bound: Bound): string {
  return 'max' in bound ? `at most ${formatNumber(bound.max)}` : `at least ${formatNumber(bound.min)}`
}
