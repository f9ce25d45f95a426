import type { AdapterContext } from '../../src/ports/kind.ts'
import { resolveSecret } from '../../src/shared/secret.ts'
import { createFakeClock } from '../fakes/clock.ts'

/** What an adapter may use, for tests: a clock that stands still, a log that nobody reads, secrets from `env`. */
export function adapterContext(env: Readonly<Record<string, string>> = {}): AdapterContext {
  const ignore = () => {}
  return {
    clock: createFakeClock(0),
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    secret: (reference) => resolveSecret(reference, env),
  }
}
