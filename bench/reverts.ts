import type { Acknowledged, House } from './house.ts'

/** One revert, ms. */
export interface RevertSpan {
  /** From the call that puts the fact to the provider's acknowledgement. */
  readonly totalMs: number
  /** The durable put. */
  readonly putMs: number
  /** From then until the decision is durable. */
  readonly decideMs: number
  /** From then until the adapter is asked to write. */
  readonly handOverMs: number
  /** The adapter's call of the provider. */
  readonly writeMs: number
}

/** Longer than any of this takes: it only ends what would never come, ms. */
const GIVE_UP_MS = 180_000

/** Reverts workloads of a house, and measures each. */
export class Reverts {
  private readonly house: House
  private readonly signal: AbortSignal
  /** By target id: whose acknowledgement is awaited. */
  private readonly awaited = new Map<string, (write: Acknowledged) => void>()

  constructor(house: House, signal: AbortSignal) {
    this.house = house
    this.signal = signal
    house.onAcknowledged((write) => {
      for (const { targetId, urgency } of write.changes) if (urgency === 'revert') this.awaited.get(targetId)?.(write)
    })
  }

  /** Brings workloads that wait, or have ended, to their first step, its weight read back. */
  async raise(workloads: readonly string[]): Promise<void> {
    const signal = this.deadline()
    const ended = this.house.control
      .workloads()
      .filter(({ state }) => workloads.includes(state.workload) && state.phase.name === 'reverted')
      .map(({ state }) => state.workload)
    if (ended.length > 0) {
      const pinned = this.house.events(ended, 'plan-pinned', signal)
      await Promise.all([pinned, ...ended.map((workload) => this.submit(workload, 'retry'))])
    }
    const confirmed = this.house.events(workloads, 'weight-confirmed', signal)
    await Promise.all([confirmed, this.house.sweepNow()])
  }

  /** Reverts one, and resolves when that is read back and committed: nothing of it goes on then. */
  async revert(workload: string): Promise<RevertSpan> {
    const [span] = await this.revertAtOnce([workload])
    if (!span) throw new Error('one revert has one span')
    return span
  }

  /** Reverts all at the same moment, from which each is measured. */
  async revertAtOnce(workloads: readonly string[]): Promise<readonly RevertSpan[]> {
    const signal = this.deadline()
    const decided = this.house.events(workloads, 'revert-started', signal)
    const confirmed = this.house.events(workloads, 'revert-confirmed', signal)
    const written = workloads.map((workload) => this.acknowledgement(workload, signal))
    const startedMs = performance.now()
    const puts = workloads.map(async (workload) => {
      await this.submit(workload, 'revert')
      return performance.now()
    })
    const [putMs, decidedMs, writes] = await Promise.all([Promise.all(puts), decided, Promise.all(written), confirmed])
    return workloads.map((workload, index) => {
      const [put, write, decision] = [putMs[index], writes[index], decidedMs.get(workload)]
      if (put === undefined || !write || decision === undefined) throw new Error(`${workload}: a part is missing`)
      return {
        totalMs: write.endedMs - startedMs,
        putMs: put - startedMs,
        decideMs: decision - put,
        handOverMs: write.begunMs - decision,
        writeMs: write.endedMs - write.begunMs,
      }
    })
  }

  /**
   * Reverts all by one order; resolves with the time until the last of them was acknowledged, ms. `settled` resolves once
   * all are read back.
   */
  async revertAll(
    workloads: readonly string[],
  ): Promise<{ readonly ms: number; readonly settled: () => Promise<void> }> {
    const signal = this.deadline()
    const confirmed = this.house.events(workloads, 'revert-confirmed', signal)
    // Nobody may wait for it.
    confirmed.catch(() => {})
    const written = workloads.map((workload) => this.acknowledgement(workload, signal))
    const startedMs = performance.now()
    const order = { command: 'revert', reason: 'a benchmark', actor: 'bench', force: false, roles: [] } as const
    const [writes] = await Promise.all([Promise.all(written), this.house.control.submitAll(order, workloads)])
    const ms = Math.max(...writes.map(({ endedMs }) => endedMs)) - startedMs
    return { ms, settled: async () => void (await confirmed) }
  }

  private async submit(workload: string, command: 'revert' | 'retry'): Promise<void> {
    await this.house.control.submit({
      workload,
      command,
      reason: 'a benchmark',
      actor: 'bench',
      force: false,
      roles: [],
      factId: null,
    })
  }

  private acknowledgement(workload: string, signal: AbortSignal): Promise<Acknowledged> {
    const targetId = this.house.targetIds.get(workload)
    if (targetId === undefined) throw new Error(`no target of ${workload}`)
    const { promise, resolve, reject } = Promise.withResolvers<Acknowledged>()
    this.awaited.set(targetId, resolve)
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    return promise.finally(() => {
      this.awaited.delete(targetId)
      signal.removeEventListener('abort', abort)
    })
  }

  private deadline(): AbortSignal {
    return AbortSignal.any([this.signal, AbortSignal.timeout(GIVE_UP_MS)])
  }
}
