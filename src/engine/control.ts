import { problem } from '../core/problem.ts'
import type { Control, ServiceStatus } from '../ports/control.ts'
import type { Clock, Random, Wakeups } from '../ports/runtime.ts'
import type { Inbox } from '../ports/store.ts'
import type { Engine } from './engine.ts'
import type { Observer } from './observe.ts'

export interface ControlDeps {
  readonly engine: Engine
  readonly observer: Observer
  readonly inbox: Inbox
  readonly wakeups: Wakeups
  readonly clock: Clock
  readonly random: Random
  /** What the config says of the service, asked at each call: it may be reloaded. */
  readonly about: () => Pick<
    ServiceStatus,
    'version' | 'migration' | 'clusters' | 'configHash' | 'startedAtMs' | 'sweepSeconds'
  >
}

/** The running engine as the API sees it. */
export function createControl({ engine, observer, inbox, wakeups, clock, random, about }: ControlDeps): Control {
  return {
    status: () => ({
      ...about(),
      nowMs: clock.nowMs(),
      lastSweepAtMs: engine.lastSweepAtMs,
      notReady: engine.notReady(),
    }),
    workloads: () => {
      const phases = engine.book.phases()
      return engine.book
        .subjects()
        .map((subject) => ({ ...subject, observation: observer.observationOf(subject, [], phases) }))
    },
    submit: async ({ workload, command, reason, actor, force, factId: wantedId }) => {
      if (!engine.book.isConfigured(workload)) throw problem('API_NOT_FOUND', `no workload "${workload}"`)
      const factId = wantedId ?? random.id()
      const receivedAtMs = clock.nowMs()
      const isNew = await inbox.put({
        id: factId,
        kind: 'command',
        workload,
        command,
        reason,
        actor,
        receivedAtMs,
        force,
      })
      wakeups.urgent([workload])
      return { factId, isNew }
    },
    onCommit: (listener) => engine.onCommit(listener),
  }
}
