import { Client } from 'undici'
import { type Missing, missing, type ProbeOutcome } from '../../core/observation.ts'
import type { ProbeSpec } from '../../core/plan.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import type { Prober } from '../../ports/source.ts'
import { type Address, parseAddress } from './address.ts'
import { readStart } from './body.ts'
import { pinnedConnector } from './connect.ts'
import { explainFailure, explainOwnTrouble } from './explain.ts'

/**
 * Silence for so long is evidence, seconds. When the sweep's deadline cuts a probe off earlier, that was Headgate's own
 * haste, and the outcome is missing.
 */
const SILENCE_SECONDS = 1

const CLOSED = 'Headgate is stopping'

/** Probes over HTTP and HTTPS, each on a connection of its own. */
export function createProber(context: Pick<AdapterContext, 'clock'>): Prober {
  const closing = new AbortController()
  return {
    async probe(spec, side, signal) {
      const addressText = spec.address[side]
      if (addressText === null) return null
      const address = parseAddress(addressText)
      if (address === null) return missing('refused', `"${addressText}" is not a host or host:port`)
      const pattern = compileBody(spec.expectBody)
      if (pattern === null) return missing('refused', 'the body’s pattern is not a regular expression')
      if (closing.signal.aborted) return missing('timeout', CLOSED)
      if (signal.aborted) return missing('timeout', 'the deadline of the sweep came before it began')
      return run({ spec, address, pattern }, context.clock, { deadline: signal, closing: closing.signal })
    },
    async close() {
      closing.abort()
    },
  }
}

/** A probe that can be asked. */
interface Asking {
  readonly spec: ProbeSpec
  readonly address: Address
  readonly pattern: RegExp
}

async function run(
  asking: Asking,
  clock: AdapterContext['clock'],
  { deadline, closing }: { readonly deadline: AbortSignal; readonly closing: AbortSignal },
): Promise<ProbeOutcome | Missing> {
  const { spec } = asking
  const startMs = clock.nowMs()
  const elapsedSeconds = () => Math.max(0, clock.nowMs() - startMs) / 1000
  const tooSlow = AbortSignal.timeout(spec.slowerThanSeconds * 1000)
  try {
    const why = await ask(asking, startMs, AbortSignal.any([deadline, closing, tooSlow]))
    const seconds = elapsedSeconds()
    return why === null ? { kind: 'passed', seconds } : { kind: 'failed', seconds, why }
  } catch (error) {
    const seconds = elapsedSeconds()
    if (tooSlow.aborted) return { kind: 'failed', seconds, why: `no whole answer within ${spec.slowerThanSeconds} s` }
    if (closing.aborted) return missing('timeout', CLOSED)
    if (!deadline.aborted) {
      const ownTrouble = explainOwnTrouble(error)
      if (ownTrouble !== null) return missing('unreachable', ownTrouble)
      return { kind: 'failed', seconds, why: explainFailure(error) }
    }
    return seconds < SILENCE_SECONDS
      ? missing('timeout', 'the deadline of the sweep came too soon after it began')
      : { kind: 'failed', seconds, why: `no whole answer in the ${seconds.toFixed(1)} s until the sweep’s deadline` }
  }
}

/** Sends the request and judges the answer; null: all is well. Throws what the connection throws. */
async function ask({ spec, address, pattern }: Asking, nowMs: number, signal: AbortSignal): Promise<string | null> {
  let daysLeft: number | null = null
  const url = new URL(spec.url)
  const connect = pinnedConnector(spec, address, nowMs, (days) => {
    daysLeft = days
  })
  const client = new Client(url.origin, { connect, pipelining: 1 })
  try {
    const { statusCode, body } = await client.request({
      method: spec.method,
      path: `${url.pathname}${url.search}`,
      headers: { accept: '*/*', 'user-agent': 'headgate-probe' },
      reset: true,
      signal,
    })
    if (!spec.expectStatus.includes(statusCode)) return `status ${statusCode}, not ${spec.expectStatus.join(' or ')}`
    const text = await readStart(body)
    if (!pattern.test(text)) return 'the body does not match'
    if (spec.certificateDays !== null && daysLeft !== null && daysLeft < spec.certificateDays)
      return `the certificate ends in ${Math.floor(daysLeft)} days, less than ${spec.certificateDays}`
    return null
  } finally {
    await client.destroy()
  }
}

/** Without a pattern every body matches; null: not a regular expression. */
function compileBody(pattern: string | null): RegExp | null {
  try {
    return new RegExp(pattern ?? '')
  } catch {
    return null
  }
}
