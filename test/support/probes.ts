import { onTestFinished } from 'vitest'
import type { Missing, ProbeOutcome } from '../../src/core/observation.ts'
import type { ProbeSpec } from '../../src/core/plan.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createProber } from '../../src/sources/probe/prober.ts'

/** A probe of NEW that is content with a 200 within ten seconds. */
export function probeSpec(changes: Partial<ProbeSpec> & Pick<ProbeSpec, 'url' | 'address'>): ProbeSpec {
  return {
    name: 'probe-1',
    method: 'GET',
    expectStatus: [200],
    expectBody: null,
    slowerThanSeconds: 10,
    certificateDays: null,
    allowAddresses: [],
    ...changes,
  }
}

/** A prober whose clock shows the real time, and then stands still. It is closed when the test is over. */
export function testProber() {
  const clock = createFakeClock(Date.now())
  const prober = createProber({ clock })
  onTestFinished(() => prober.close())
  return { prober, clock }
}

/** Probes NEW at this address, once. */
export function probeOnce(
  url: string,
  address: string,
  changes: Partial<ProbeSpec> = {},
): Promise<ProbeOutcome | Missing | null> {
  const spec = probeSpec({ url, address: { old: null, new: address }, ...changes })
  return testProber().prober.probe(spec, 'new', AbortSignal.timeout(120_000))
}
