import { Problem, problem } from '../../core/problem.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import type {
  TrafficFinding,
  TrafficScope,
  TrafficTarget,
  WeightChange,
  WeightReading,
  WriteResult,
} from '../../ports/traffic.ts'
import { failed, missingFor, unknownTarget } from '../failure.ts'
import type { Rrset } from './api.ts'
import { byName, isNeeded, type Move, type NameMoves } from './change.ts'
import { PowerdnsClient } from './client.ts'
import { namesOfOwners, otherWriterOf } from './owner.ts'
import { type Place, placeOf } from './place.ts'
import { contentOf, recordOf, type WeightedRecord } from './record.ts'
import type { PowerdnsAccount, PowerdnsSettings } from './settings.ts'
import { PATIENCE_MS, type Verdict, verify } from './verify.ts'

/** PowerDNS takes bodies of 2 MiB unless it is told otherwise (webserver-max-bodysize): some 6,000 names. */
const MAX_BODY_BYTES = 1024 * 1024
/** More at a time than that, and packets get lost on the way. */
const MAX_QUERIES_AT_ONCE = 32
/** PowerDNS's status for a change that it does not like: then it has made none of them. */
const UNPROCESSABLE = 422

/** One zone. A write is one PATCH, whatever the number of targets. */
export class PowerdnsScope implements TrafficScope {
  readonly quota = null
  readonly restSeconds = 0
  readonly #client: PowerdnsClient
  readonly #nameservers: PowerdnsAccount['nameservers']
  readonly #settings: ReadonlyMap<string, PowerdnsSettings>
  /** By target: the record that the name servers have been seen to serve. */
  readonly #verified = new Map<string, string>()
  /** Found out once: it takes a restart of PowerDNS to change. */
  #evaluatesLua = false

  constructor(
    zone: string,
    targets: readonly TrafficTarget<PowerdnsSettings>[],
    account: PowerdnsAccount,
    secret: AdapterContext['secret'],
  ) {
    this.#client = new PowerdnsClient(account, zone, secret)
    this.#nameservers = account.nameservers
    this.#settings = new Map(targets.map((target) => [target.id, target.settings]))
  }

  async read(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, WeightReading>> {
    const sights = await this.#look(targetIds, signal)
    return new Map([...sights].map(([id, sight]) => [id, sight instanceof Problem ? missingFor(sight) : sight.reading]))
  }

  async write(changes: readonly WeightChange[], signal: AbortSignal): Promise<ReadonlyMap<string, WriteResult>> {
    const results = new Map<string, WriteResult>()
    const moves = await this.#plan(changes, results, signal)
    let bytes = 0
    const batch: NameMoves[] = []
    for (const group of byName(moves)) {
      bytes += Buffer.byteLength(JSON.stringify(group.rrsets))
      if (bytes <= MAX_BODY_BYTES) batch.push(group)
      else for (const { change } of group.moves) results.set(change.targetId, { kind: 'deferred' })
    }
    if (batch.length > 0) await this.#send(batch, results, signal)
    return results
  }

  async inspect(targetIds: readonly string[], signal: AbortSignal): Promise<readonly TrafficFinding[]> {
    const sights = await this.#look(targetIds, signal)
    const isPlain = [...sights.values()].some((sight) => !(sight instanceof Problem) && sight.place.lua === null)
    const noLua = isPlain ? await this.#luaProblem(signal) : null
    return [...sights].flatMap(([targetId, sight]): readonly TrafficFinding[] => {
      if (sight instanceof Problem) return [{ targetId, level: 'fail', problem: sight.toJSON() }]
      const { pending, otherWriter } = sight.reading
      const findings: TrafficFinding[] = []
      if (noLua && sight.place.lua === null) findings.push({ targetId, level: 'fail', problem: noLua.toJSON() })
      if (pending !== undefined) findings.push({ targetId, level: 'fail', problem: unproven(pending).toJSON() })
      if (otherWriter !== undefined)
        findings.push({ targetId, level: 'warn', problem: problem('TRAFFIC_OTHER_WRITER', otherWriter).toJSON() })
      return findings
    })
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  /** What is there, and whether it is served. */
  async #look(targetIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Sight | Problem>> {
    const sights = new Map<string, Sight | Problem>()
    const known = targetIds.flatMap((id) => {
      const settings = this.#settings.get(id)
      if (!settings) sights.set(id, unknownTarget(id))
      return settings ? [{ id, settings }] : []
    })
    const rrsets = await this.#rrsets(
      known.flatMap(({ settings }) => namesOfOwners(settings)),
      signal,
    )
    const waiting = [...known]
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift())
        sights.set(
          next.id,
          rrsets instanceof Problem ? rrsets : await this.#sight(next.id, next.settings, rrsets, patience),
        )
    }
    await Promise.all(Array.from({ length: MAX_QUERIES_AT_ONCE }, work))
    return sights
  }

  async #sight(
    id: string,
    settings: PowerdnsSettings,
    zone: RrsetsByName,
    signal: AbortSignal,
  ): Promise<Sight | Problem> {
    const rrsets = namesOfOwners(settings).flatMap((name) => zone.get(name) ?? [])
    const place = placeOf(settings, rrsets)
    if (place instanceof Problem) return place
    const { weightPercent, ttlSeconds } = place
    if (weightPercent === null)
      return problem(
        'TRAFFIC_REFUSED',
        `all weights of ${settings.record} are 0, which PowerDNS answers with SERVFAIL`,
        {
          hint: 'a write by Headgate puts it right: revert the workload',
        },
      )
    const verdict = await this.#verdict(id, settings, place.lua ?? recordOf(settings, weightPercent), signal)
    if (verdict.kind === 'broken') return broken(settings, verdict.clause)
    const otherWriter = otherWriterOf(settings, rrsets)
    const reading = {
      kind: 'weight' as const,
      weightPercent,
      ttlSeconds,
      ...(verdict.kind === 'pending' && { pending: verdict.clause }),
      ...(otherWriter !== undefined && { otherWriter }),
    }
    return { place, reading }
  }

  /**
   * Asks the name servers about a record until they have served it once: a plain one too, so that a rollout does not begin
   * where nobody could tell whether it is served.
   */
  async #verdict(
    id: string,
    settings: PowerdnsSettings,
    record: WeightedRecord,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const content = contentOf(record)
    if (this.#verified.get(id) === content) return { kind: 'serves' }
    const verdict = await verify(this.#nameservers, settings.record, record, signal)
    if (verdict.kind === 'serves') this.#verified.set(id, content)
    return verdict
  }

  /** The moves that these changes need; the other changes get their results. */
  async #plan(
    changes: readonly WeightChange[],
    results: Map<string, WriteResult>,
    signal: AbortSignal,
  ): Promise<readonly Move[]> {
    const known = changes.flatMap((change) => {
      const settings = this.#settings.get(change.targetId)
      if (!settings) results.set(change.targetId, failed(unknownTarget(change.targetId)))
      return settings ? [{ change, settings }] : []
    })
    const rrsets = await this.#rrsets(
      known.map(({ settings }) => settings.record),
      signal,
    )
    const moves = known.flatMap(({ change, settings }): readonly Move[] => {
      const place = rrsets instanceof Problem ? rrsets : placeOf(settings, rrsets.get(settings.record) ?? [])
      if (place instanceof Problem) {
        results.set(change.targetId, failed(place))
        return []
      }
      const move = { change, settings, place }
      if (isNeeded(move)) return [move]
      results.set(change.targetId, { kind: 'applied' })
      return []
    })
    if (!moves.some(({ place }) => place.lua === null)) return moves
    // A LUA record that nobody evaluates answers nothing at all: the plain one must stay.
    const noLua = await this.#luaProblem(signal)
    if (noLua === null) return moves
    for (const { change, place } of moves) if (place.lua === null) results.set(change.targetId, failed(noLua))
    return moves.filter(({ place }) => place.lua !== null)
  }

  /**
   * One PATCH. Only where PowerDNS finds fault with a change, and so has made none, are the halves tried by themselves: one
   * odd record must not keep all others from their revert.
   */
  async #send(batch: readonly NameMoves[], results: Map<string, WriteResult>, signal: AbortSignal): Promise<void> {
    const refused = await this.#client.patch(
      batch.flatMap(({ rrsets }) => rrsets),
      signal,
    )
    if (refused?.status === UNPROCESSABLE && batch.length > 1) {
      const middle = Math.ceil(batch.length / 2)
      await this.#send(batch.slice(0, middle), results, signal)
      return this.#send(batch.slice(middle), results, signal)
    }
    const result: WriteResult = refused ? failed(refused.problem) : { kind: 'applied' }
    for (const { change } of batch.flatMap(({ moves }) => moves)) results.set(change.targetId, result)
  }

  /** Why a plain record cannot become a LUA record; null: it can. */
  async #luaProblem(signal: AbortSignal): Promise<Problem | null> {
    const evaluates = this.#evaluatesLua || (await this.#client.evaluatesLua(signal))
    if (evaluates instanceof Problem) return evaluates
    this.#evaluatesLua = evaluates
    if (evaluates) return null
    return problem('TRAFFIC_REFUSED', 'PowerDNS does not evaluate LUA records in this zone', {
      hint: 'set enable-lua-records=shared, or the metadata ENABLE-LUA-RECORDS of the zone to 1',
    })
  }

  async #rrsets(names: readonly string[], signal: AbortSignal): Promise<RrsetsByName | Problem> {
    if (names.length === 0) return new Map()
    const rrsets = await this.#client.rrsets([...new Set(names)], signal)
    return rrsets instanceof Problem ? rrsets : Map.groupBy(rrsets, ({ name }) => name)
  }
}

type RrsetsByName = ReadonlyMap<string, readonly Rrset[]>

interface Sight {
  readonly place: Place
  readonly reading: Extract<WeightReading, { kind: 'weight' }>
}

function unproven(clause: string): Problem {
  return problem('TRAFFIC_UNVERIFIED', clause, {
    hint: 'check `nameservers` under providers.powerdns: Headgate must reach their port by UDP',
  })
}

function broken({ record }: PowerdnsSettings, clause: string): Problem {
  return problem('TRAFFIC_REFUSED', `${record} is not served as it is written: ${clause}`, {
    hint: 'set enable-lua-records=shared on every name server of the zone, and look into its log',
  })
}
