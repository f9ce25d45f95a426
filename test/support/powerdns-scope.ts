import type { TrafficScope, WeightChange, WeightReading } from '../../src/ports/traffic.ts'
import { powerdns } from '../../src/traffic/powerdns/kind.ts'
import { adapterContext } from './adapter-context.ts'
import { API_KEY, type Powerdns, ZONE } from './powerdns-user.ts'
import { until } from './until.ts'

export const OLD = '192.0.2.1'
export const NEW = '192.0.2.2'

/** The name of a target's record. */
export function recordOf(targetId: string): string {
  return `${targetId}.${ZONE}`
}

/** Opens the zone of a server for these targets, each at a name of its own, led to OLD and NEW. */
export function openZone(
  server: Pick<Powerdns, 'url' | 'nameserver'>,
  ids: readonly string[],
  settings: object = {},
  account: object = {},
): TrafficScope {
  const targets = ids.map((id) => ({
    id,
    settings: powerdns.settings.parse({ zone: ZONE, record: recordOf(id), old: OLD, new: NEW, ...settings }),
  }))
  const parsed = powerdns.account?.parse({
    url: server.url,
    apiKey: '${env:PDNS_API_KEY}',
    nameservers: [server.nameserver],
    timeout: '60s',
    ...account,
  })
  if (!parsed) throw new Error('powerdns has an account')
  return powerdns.open(targets, parsed, adapterContext({ PDNS_API_KEY: API_KEY, WRONG_KEY: 'canary-of-a-wrong-key' }))
}

export function change(targetId: string, weightPercent: number, parts: Partial<WeightChange> = {}): WeightChange {
  return { targetId, weightPercent, ttlSeconds: null, urgency: 'forward', ...parts }
}

/** Longer than any call of a test; ends what would hang. */
export function anyLongWhile(): AbortSignal {
  return AbortSignal.timeout(120_000)
}

/** What a scope reads of a target now. */
export async function readOnce(scope: TrafficScope, id: string): Promise<WeightReading | undefined> {
  return (await scope.read([id], anyLongWhile())).get(id)
}

/** What it reads once DNS has said its part: on a busy machine that may come after the first read. */
export async function readSettled(scope: TrafficScope, id: string): Promise<WeightReading> {
  return until(`${id} is read without anything pending`, async () => {
    const reading = await readOnce(scope, id)
    return reading !== undefined && !('pending' in reading) && reading
  })
}
