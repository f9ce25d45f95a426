import type { WeightChange } from '../../ports/traffic.ts'
import { rrdataBytes } from './wire.ts'
import type { Replacement } from './zone.ts'

/** Record sets that one change may add, and as many that it may delete (default quota of a project). */
const MAX_RRSETS = 1000
/** Bytes of values that one change may name, both sides (default quota of a project). */
const MAX_RRDATA_BYTES = 100_000

/** A record set to be replaced for a target. */
export interface Move extends Replacement {
  readonly change: WeightChange
}

/**
 * How many moves fit into one change, and who may travel with whom: a change is all or nothing, so after a refusal its
 * moves go on in halves, until the one that is to blame goes alone.
 */
export class Batches {
  /** How many may be in a change together with this target; left out: as many as fit. */
  readonly #company = new Map<string, number>()

  /** The moves of the next change: reverts first, then those who may have company. At least one of them. */
  take(moves: readonly Move[]): readonly Move[] {
    const sorted = moves.toSorted(
      (a, b) =>
        Number(b.change.urgency === 'revert') - Number(a.change.urgency === 'revert') ||
        this.#companyOf(b) - this.#companyOf(a),
    )
    const taken: Move[] = []
    let bytes = 0
    let room = MAX_RRSETS
    for (const move of sorted) {
      room = Math.min(room, this.#companyOf(move))
      bytes += rrdataBytes(move.before) + rrdataBytes(move.after)
      if (taken.length > 0 && (taken.length >= room || bytes > MAX_RRDATA_BYTES)) break
      taken.push(move)
    }
    return taken
  }

  succeeded(moves: readonly Move[]): void {
    for (const { change } of moves) this.#company.delete(change.targetId)
  }

  /** One of them is to blame, nobody knows which. */
  halve(moves: readonly Move[]): void {
    for (const { change } of moves) this.#company.set(change.targetId, Math.max(1, Math.floor(moves.length / 2)))
  }

  /** This one is to blame. */
  isolate({ change }: Move): void {
    this.#company.set(change.targetId, 1)
  }

  #companyOf({ change }: Move): number {
    return this.#company.get(change.targetId) ?? MAX_RRSETS
  }
}
