import { Fleet } from '../engine/fleet.ts'
import type { Sights } from '../engine/sights.ts'
import { SignalWatch } from '../engine/signal-watch.ts'
import { createTimer } from '../engine/timer.ts'
import { NO_TRACER } from '../ports/tracer.ts'
import { createFakeClock } from './clock.ts'
import { createFakeLog, createFakeMeter } from './runtime.ts'

/** Nobody looks at more than traffic and metrics. */
export function plainSights(): Sights {
  const passed = { outcome: 'pass', sentence: 'nobody looks here', hint: null, atMs: Number.MAX_SAFE_INTEGER } as const
  const lookout = { look: async () => {}, close: async () => {} }
  return {
    calendar: () => null,
    checker: { ...lookout, readings: ({ checks }) => Object.fromEntries(checks.map(({ id }) => [id, passed])) },
    fleet: plainFleet(),
    replicas: { ...lookout, reading: () => null },
    tasks: { want: () => {}, readings: () => ({}), close: async () => {} },
  }
}

/** No migration has waves, limits or signals. */
function plainFleet(): Fleet {
  const timer = createTimer(createFakeClock(0))
  return new Fleet(
    () => [],
    new SignalWatch(new Map(), 10, { log: createFakeLog(), meter: createFakeMeter(), timer, tracer: NO_TRACER }),
  )
}
