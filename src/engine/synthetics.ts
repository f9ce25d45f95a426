import { type Missing, missing, type ProbeReading } from '../core/observation.ts'
import type { Side } from '../core/plan.ts'
import type { SyntheticSpec } from '../core/synthetic.ts'
import type { Clock } from '../ports/runtime.ts'
import type { SyntheticReader, SyntheticResult } from '../ports/source.ts'
import { byDeadline } from '../shared/deadline.ts'

/** Readers of synthetic tests, by kind of the source. */
export type SyntheticReaders = ReadonlyMap<string, SyntheticReader>

/**
 * The newest results of both sides as a round of a probe. It is of the time when NEW's run ended: so a result counts once
 * however often it is read, and one from before the weight was in force proves nothing about it.
 */
export async function readRound(
  { source, test }: SyntheticSpec,
  readers: SyntheticReaders,
  clock: Clock,
  signal: AbortSignal,
): Promise<ProbeReading> {
  const reader = readers.get(source)
  const late = () => missing('timeout', 'no time was left in this sweep')
  const read = async (side: Side): Promise<SyntheticResult | Missing | null> => {
    const asked = test[side]
    if (asked === null) return null
    if (!reader) return missing('refused', `no source "${source}" is configured any more`)
    return signal.aborted ? late() : byDeadline<SyntheticResult | Missing>(reader.read(asked, signal), signal, late)
  }
  const [old, fresh] = await Promise.all([read('old'), read('new')])
  const leading = fresh ?? old
  const atMs = leading?.kind === 'result' ? leading.endedAtMs : clock.nowMs()
  return { atMs, outcome: { old: outcomeOf(old), new: outcomeOf(fresh) } }
}

function outcomeOf(said: SyntheticResult | Missing | null) {
  return said?.kind === 'result' ? said.outcome : said
}
