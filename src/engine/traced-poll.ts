import type { SliSpec } from '../core/plan.ts'
import type { Log, Meter } from '../ports/runtime.ts'
import type { MetricSource, SliVector, Tick } from '../ports/source.ts'
import type { Tracer } from '../ports/tracer.ts'
import { byDeadline } from '../shared/deadline.ts'
import type { Timer } from './timer.ts'

/** Of many SLIs a span names the first. */
const MOST_NAMES = 20

export interface WatchDeps {
  readonly log: Log
  readonly meter: Meter
  readonly timer: Timer
  readonly tracer: Tracer
}

/** Polls one source for some SLIs, measured and traced; what has not come when the signal aborts is `late`. */
export function tracedPoll(
  { name, source }: { readonly name: string; readonly source: MetricSource },
  asked: { readonly specs: readonly SliSpec[]; readonly tick: Tick; readonly signal: AbortSignal },
  late: () => ReadonlyMap<SliSpec, SliVector>,
  { meter, timer, tracer }: WatchDeps,
): Promise<ReadonlyMap<SliSpec, SliVector>> {
  const { specs, tick, signal } = asked
  const fields = () => ({
    'headgate.source': name,
    'headgate.slis': specs.slice(0, MOST_NAMES).map((spec) => spec.name),
  })
  return tracer.span('headgate.source', fields, async (span) => {
    const seconds = timer()
    const vectors = await byDeadline(source.poll(specs, tick, signal), signal, late)
    const lacking = specs.map((spec) => vectors.get(spec)).find((vector) => vector?.kind !== 'vector')
    const isOk = specs.every((spec) => vectors.get(spec)?.kind === 'vector')
    meter.call('source', name, seconds(), isOk)
    if (!isOk) span.fail(lacking ? `${lacking.why}: ${lacking.detail}` : 'the source gave no answer')
    return vectors
  })
}
