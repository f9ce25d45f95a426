import { createQuotas } from '../../src/engine/quotas.ts'
import type { AdapterContext } from '../../src/ports/kind.ts'
import { resolveSecret } from '../../src/shared/secret.ts'
import { createFakeClock } from '../fakes/clock.ts'

/** What an adapter may use, for tests: a clock that stands still, a log that nobody reads, secrets from `env`. */
export function adapterContext(env: Readonly<Record<string, string>> = {}): AdapterContext {
  const ignore = () => {}
  const clock = createFakeClock(0)
  return {
    clock,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    quotas: createQuotas(clock),
    secret: (reference) => resolveSecret(reference, env),
  }
}
