import { createQuotas } from '../../src/engine/quotas.ts'
import type { AdapterContext } from '../../src/ports/kind.ts'
import { NO_TRACER, type Tracer } from '../../src/ports/tracer.ts'
import { resolveSecret } from '../../src/shared/secret.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'

/** What is done within a span that all calls should name. */
export const TRACED: Tracer = {
  ...NO_TRACER,
  headers: () => ({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }),
}

/** What an adapter may use, for tests: a clock that stands still, a log that nobody reads, secrets from `env`. */
export function adapterContext(env: Readonly<Record<string, string>> = {}): AdapterContext {
  const ignore = () => {}
  const clock = createFakeClock(0)
  return {
    clock,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    quotas: createQuotas(clock),
    tracer: NO_TRACER,
    secret: (reference) => resolveSecret(reference, env),
  }
}
