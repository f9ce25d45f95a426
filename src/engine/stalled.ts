import { formatSpan } from '../core/format.ts'
import { type ProblemJson, problem } from '../core/problem.ts'
import type { Clock } from '../ports/runtime.ts'

/** Sweeps that may be missing before the service says that it is not ready. */
const STALLED_SWEEPS = 5

/** Says that sweeps are missing; null: none is, or there was none yet. */
export function stalled(
  lastSweepAtMs: number | null,
  { clock, sweepSeconds }: { readonly clock: Clock; readonly sweepSeconds: number },
): ProblemJson | null {
  if (lastSweepAtMs === null) return null
  const seconds = (clock.nowMs() - lastSweepAtMs) / 1000
  if (seconds < STALLED_SWEEPS * sweepSeconds) return null
  return problem('ENGINE_STALLED', `the last sweep ended ${formatSpan(seconds)} ago`).toJSON()
}
