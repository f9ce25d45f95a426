import type { Wake, Wakeups } from '../ports/runtime.ts'

/**
 * Holds what is due until the consumer takes it: however much comes meanwhile, it is one sweep, and each workload once. Urgent
 * work goes first, but a stream of it does not starve the sweep.
 *
 * Has one consumer: calls of `next` do not overlap.
 */
export class MergedWakes implements Wakeups {
  private readonly urgentOnes = new Set<string>()
  private isLookDue = false
  private isSweepDue = false
  private wasUrgent = false
  private isClosed = false
  private changed = Promise.withResolvers<void>()

  async next(): Promise<Wake | null> {
    while (!this.isClosed) {
      const wake = this.take()
      if (wake) return wake
      await this.changed.promise
    }
    return null
  }

  urgent(workloads: readonly string[]): void {
    for (const workload of workloads) this.urgentOnes.add(workload)
    this.announce()
  }

  /** Somebody else has put facts into the inbox; they say themselves which workloads they concern. */
  look(): void {
    this.isLookDue = true
    this.announce()
  }

  sweep(): void {
    this.isSweepDue = true
    this.announce()
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.announce()
  }

  private take(): Wake | null {
    const isUrgent = this.isLookDue || this.urgentOnes.size > 0
    // A stream of commands must not starve the sweep: never twice urgent while one is due.
    if (isUrgent && !(this.isSweepDue && this.wasUrgent)) {
      const workloads = [...this.urgentOnes]
      this.urgentOnes.clear()
      this.isLookDue = false
      this.wasUrgent = true
      return { kind: 'urgent', workloads }
    }
    if (!this.isSweepDue) return null
    this.isSweepDue = false
    this.wasUrgent = false
    return { kind: 'sweep' }
  }

  private announce(): void {
    this.changed.resolve()
    this.changed = Promise.withResolvers()
  }
}
