import type { Clock } from '../../ports/runtime.ts'
import { AwsFailure } from '../aws-call.ts'
import type { Calling, ZoneApi } from './api.ts'

/** Within that Route 53's servers usually have a change (API reference, ChangeResourceRecordSets), ms. */
const USUAL_MS = 60_000

type Wait =
  | { readonly kind: 'change'; readonly changeId: string }
  /** The acknowledgement was lost, so nobody can ask how far a change is that may have been made. */
  | { readonly kind: 'unknown'; readonly untilMs: number }

/** Which targets have a change that not all of Route 53's servers may know yet. */
export class PendingChanges {
  readonly #waits = new Map<string, Wait>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A change of these targets was acknowledged: their last one, so the ones before don't matter any more. */
  made(targetIds: readonly string[], changeId: string): void {
    for (const id of targetIds) this.#waits.set(id, { kind: 'change', changeId })
  }

  /** A change of these targets may have been made. */
  maybeMade(targetIds: readonly string[]): void {
    const untilMs = this.#clock.nowMs() + USUAL_MS
    for (const id of targetIds) this.#waits.set(id, { kind: 'unknown', untilMs })
  }

  /** Asks how far the changes of these targets are, one call a change; gives what is still to be done, by target id. */
  async ask(api: ZoneApi, targetIds: readonly string[], calling: Calling): Promise<ReadonlyMap<string, string>> {
    const clauses = new Map<string, string>()
    const asked = new Map<string, string | null>()
    for (const id of targetIds) {
      const wait = this.#waits.get(id)
      if (!wait) continue
      const clause =
        wait.kind === 'unknown'
          ? this.#clauseOfUnknown(wait.untilMs)
          : (asked.get(wait.changeId) ??
            (asked.has(wait.changeId) ? null : await clauseOf(api, wait.changeId, calling)))
      if (wait.kind === 'change') asked.set(wait.changeId, clause)
      if (clause !== null) clauses.set(id, clause)
      // A later write may have come meanwhile.
      else if (this.#waits.get(id) === wait) this.#waits.delete(id)
    }
    return clauses
  }

  #clauseOfUnknown(untilMs: number): string | null {
    const leftMs = untilMs - this.#clock.nowMs()
    // A clock that went back must not make it wait longer than ever needed.
    if (leftMs <= 0 || leftMs > USUAL_MS) return null
    return 'Route 53 did not acknowledge the last change, and may not have told all its servers'
  }
}

async function clauseOf(api: ZoneApi, changeId: string, calling: Calling): Promise<string | null> {
  const shortId = changeId.replace('/change/', '')
  const answer = await api.isInSync(changeId, calling)
  if (answer === true) return null
  if (answer === false) return `Route 53 has not yet told all its servers (change ${shortId} is PENDING)`
  if (answer instanceof AwsFailure && answer.name === 'NoSuchChange') return null
  return `it is not known whether all of Route 53's servers have change ${shortId}: ${answer.problem.message}`
}
