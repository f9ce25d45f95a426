import type { JournalRow } from '../core/event.ts'
import type { Log } from '../ports/runtime.ts'

/** Called with the rows of a commit; with none where there are rows in the journal whose numbers are not known here. */
export type Follower = (rows: readonly JournalRow[]) => void

/** Those who want to know of each commit. */
export class Followers {
  private readonly all = new Set<Follower>()
  private readonly log: Log

  constructor(log: Log) {
    this.log = log
  }

  /** Calls the follower after each commit, until the returned function is called. */
  add(follower: Follower): () => void {
    this.all.add(follower)
    return () => this.all.delete(follower)
  }

  tell(rows: readonly JournalRow[]): void {
    for (const follower of this.all) {
      try {
        follower(rows)
      } catch (error) {
        this.log.error({ error }, 'a follower of the journal threw')
      }
    }
  }
}
