import type { TargetReading, WriteReport } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import { LATE_WRITE_MS, type Standing } from '../core/state.ts'
import { sameWeight } from '../core/weights.ts'
import type { WeightChange } from '../ports/traffic.ts'

/**
 * Which writes are under way, so that no reading is believed that one of them may yet make untrue: of a raise that is
 * still to land, a target reads what a revert wants, and a revert that is called over then would be overtaken.
 */
export class WritesUnderWay {
  private readonly open = new Map<string, WeightChange>()
  /** The newest write of each target that ended, and as the how manieth of all. */
  private readonly ended = new Map<string, { readonly change: WeightChange; readonly place: number }>()
  private endings = 0
  /** When the newest write of this process to each target was acknowledged, ms. */
  private readonly appliedAtMs = new Map<string, number>()

  /** Does the write, which is under way until it ends or is given up by the signal. */
  async during<T>(changes: readonly WeightChange[], signal: AbortSignal, write: () => Promise<T>): Promise<T> {
    for (const change of changes) this.open.set(change.targetId, change)
    const end = () => {
      signal.removeEventListener('abort', end)
      this.endings += 1
      for (const change of changes) {
        // One that was given up must not end the next one of the same target.
        if (this.open.get(change.targetId) !== change) continue
        this.open.delete(change.targetId)
        this.ended.set(change.targetId, { change, place: this.endings })
      }
    }
    signal.addEventListener('abort', end, { once: true })
    return write().finally(end)
  }

  noteReports(reports: readonly WriteReport[]): void {
    for (const { kind, targetId, atMs } of reports) if (kind === 'applied') this.appliedAtMs.set(targetId, atMs)
  }

  /**
   * The readings that a rollout may go by, by target id. A revert over a raise that nobody has read back is not proven by
   * a read alone: the process that sent the raise may have died, or have given it up. A write of our own stands behind it
   * in the provider's queue; a provider that takes none is believed after `LATE_WRITE_MS`.
   */
  believed(
    { state, plan }: { readonly state: Standing; readonly plan: Plan },
    readings: ReadonlyMap<string, TargetReading>,
  ): Readonly<Record<string, TargetReading>> {
    const { phase, intendedWeightPercent, intendedAtMs, unconfirmedPercents } = state
    const isOverRaise = phase.name === 'reverting' && unconfirmedPercents.some((one) => one > intendedWeightPercent)
    const isAcknowledged = (id: string) => (this.appliedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) >= intendedAtMs
    return Object.fromEntries(
      plan.targets.flatMap(({ id }): [string, TargetReading][] => {
        const reading = readings.get(id)
        if (reading === undefined) return []
        const isEarly = reading.kind === 'weight' && reading.atMs - intendedAtMs < LATE_WRITE_MS
        return isOverRaise && isEarly && !isAcknowledged(id) ? [] : [[id, reading]]
      }),
    )
  }

  /** A read begins: the place that `mayBeUntrue` is told at its end. */
  begin(): number {
    return this.endings
  }

  /** Whether another weight than was read was on its way to the target at any time of a read that began at this place. */
  mayBeUntrue(targetId: string, reading: TargetReading, begun: number): boolean {
    if (reading.kind !== 'weight') return false
    const ended = this.ended.get(targetId)
    const overlapping = [this.open.get(targetId), ended && ended.place > begun ? ended.change : undefined]
    return overlapping.some((change) => change && !sameWeight(change.weightPercent, reading.weightPercent))
  }
}
