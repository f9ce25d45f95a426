import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { WeightedRecord } from './record.ts'
import { canonical, type Nameserver } from './settings.ts'

/** What a name server made of a LUA record. `clause` says what is amiss. */
export type Verdict =
  | { readonly kind: 'serves' }
  /** It may be well in a moment. */
  | { readonly kind: 'pending'; readonly clause: string }
  /** Clients get a failure, or an answer of somebody else. */
  | { readonly kind: 'broken'; readonly clause: string }

/** DNS answers in milliseconds. Who does not is asked again by the next read: this one must not be late for that. */
export const PATIENCE_MS = 400

/** What is wrong with a record whose name has no answer. */
const FAILURES: Readonly<Record<string, string>> = {
  ESERVFAIL: 'answers SERVFAIL, so it cannot evaluate the record',
  ENODATA: 'has no answer, so it does not evaluate LUA records, or does not have this one',
  ENOTFOUND: 'knows no such name, so it does not evaluate LUA records, or does not have this one',
  EREFUSED: 'refuses to answer for the zone',
}

/**
 * Asks every name server once for the record: PowerDNS takes any Lua, and finds out when somebody asks. The worst of their
 * verdicts counts. Never throws; the signal ends it with `pending`.
 */
export async function verify(
  nameservers: readonly Nameserver[],
  name: string,
  record: WeightedRecord,
  signal: AbortSignal,
): Promise<Verdict> {
  const verdicts = await Promise.all(nameservers.map((server) => ask(server, name, record, signal)))
  const worst = (kind: Verdict['kind']) => verdicts.find((verdict) => verdict.kind === kind)
  return worst('broken') ?? worst('pending') ?? { kind: 'serves' }
}

async function ask(server: Nameserver, name: string, record: WeightedRecord, signal: AbortSignal): Promise<Verdict> {
  const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 1 })
  const cancel = () => resolver.cancel()
  const who = `the name server ${server.host}:${server.port}`
  signal.addEventListener('abort', cancel, { once: true })
  try {
    resolver.setServers([await addressOf(server)])
    // A cancelled resolver takes new queries: the signal may have come before this one.
    if (signal.aborted) return { kind: 'pending', clause: `${who} could not be asked in time` }
    return judge(who, await resolver.resolve(name, record.type), record)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    const failure = FAILURES[code]
    if (failure !== undefined) return { kind: 'broken', clause: `${who} ${failure}` }
    return { kind: 'pending', clause: `${who} has not answered yet: ${code}` }
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

function judge(who: string, answered: readonly unknown[], { entries }: WeightedRecord): Verdict {
  const values = answered.map((value) => canonical(String(value)) ?? String(value))
  const weightOf = (value: string) => entries.find((entry) => entry.value === value)?.weight
  const stranger = values.find((value) => weightOf(value) === undefined)
  if (stranger !== undefined)
    return { kind: 'broken', clause: `${who} answers ${stranger}, which the record does not name` }
  const idle = values.find((value) => weightOf(value) === 0)
  if (idle !== undefined) return { kind: 'pending', clause: `${who} still answers ${idle}, whose weight is 0` }
  return { kind: 'serves' }
}

async function addressOf({ host, port }: Nameserver): Promise<string> {
  const address = isIP(host) ? host : (await lookup(host)).address
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
}
