import type { ProbeReading } from '../observation.ts'
import type { Gate } from '../plan.ts'
import type { ProbeEvidence } from '../state.ts'
import { type GateContext, type Verdict, verdictOf } from './verdict.ts'

type ProbeGate = Extract<Gate, { kind: 'probe' }>

/** Synthetic requests at NEW: harm after so many failures in a row, a pass after so many passes in a row in force. */
export function judgeProbe(
  gate: ProbeGate,
  reading: ProbeReading,
  counted: ProbeEvidence,
  context: GateContext,
): Verdict {
  const verdict = verdictOf(gate.id)
  const fresh = reading.outcome.new
  const evidence = {
    passesInARow: counted.passes,
    failuresInARow: counted.failures,
    oldFailuresInARow: counted.oldFailures,
  }
  if (counted.failures >= gate.failures)
    return verdict(
      gate.then,
      `probe ${gate.probe} failed ${counted.failures} times in a row on new: ${counted.lastWhy}`,
      evidence,
    )
  if (fresh === null) return verdict('blind', `probe ${gate.probe} was not asked of new`, evidence)
  if (fresh.kind === 'missing') return verdict('blind', `probe ${gate.probe} has no answer: ${fresh.detail}`, evidence)
  if (fresh.kind === 'failed')
    return verdict(
      'wait',
      `probe ${gate.probe} failed on new (${counted.failures} of ${gate.failures} in a row): ${fresh.why}`,
      evidence,
    )
  const told = `probe ${gate.probe} passed ${counted.passes} times in a row on new`
  if (!context.inForce) return verdict('wait', `${told}; the weight is not in force yet`, evidence)
  return counted.passes >= gate.passes
    ? verdict('pass', told, evidence)
    : verdict('wait', `${told}, needs ${gate.passes}`, evidence)
}
