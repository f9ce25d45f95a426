import type { Command, Observation } from '../core/observation.ts'
import { problem } from '../core/problem.ts'
import type { CommandRequest, Control, ServiceStatus } from '../ports/control.ts'
import type { Clock, Random, Wakeups } from '../ports/runtime.ts'
import type { Inbox } from '../ports/store.ts'
import type { Engine } from './engine.ts'
import type { FleetSight, Observer } from './observe.ts'

export interface ControlDeps {
  readonly engine: Engine
  readonly observer: Observer
  readonly inbox: Inbox
  readonly wakeups: Wakeups
  readonly clock: Clock
  readonly random: Random
  /** What the config says of the service, asked at each call: it may be reloaded. */
  readonly about: () => Pick<ServiceStatus, 'version' | 'migrations' | 'configHash' | 'startedAtMs' | 'sweepSeconds'>
}

/** The running engine as the API sees it. */
export function createControl({ engine, observer, inbox, wakeups, clock, random, about }: ControlDeps): Control {
  function factOf(request: Omit<CommandRequest, 'factId'>, factId: string | null): Command {
    if (!engine.book.isConfigured(request.workload)) throw problem('API_NOT_FOUND', `no workload "${request.workload}"`)
    return { id: factId ?? random.id(), kind: 'command', ...request, receivedAtMs: clock.nowMs() }
  }

  return {
    status: () => ({
      ...about(),
      nowMs: clock.nowMs(),
      lastSweepAtMs: engine.lastSweepAtMs,
      notReady: engine.notReady(),
    }),
    workloads: () => {
      let fleet: FleetSight | null = null
      return engine.book.subjects().map((subject) => {
        let observation: Observation | null = null
        return {
          ...subject,
          // Made when it is looked at: most readers of a large fleet want one workload, or none.
          get observation() {
            fleet ??= observer.fleetSight(engine.book)
            observation ??= observer.observationOf(subject, [], fleet)
            return observation
          },
        }
      })
    },
    fleets: () => observer.fleetViews(engine.book),
    submit: async ({ factId, ...request }) => {
      const fact = factOf(request, factId)
      const isNew = await inbox.put(fact)
      wakeups.urgent([fact.workload])
      return { factId: fact.id, isNew }
    },
    submitAll: async (request, workloads) => {
      const facts = workloads.map((workload) => factOf({ ...request, workload }, null))
      await inbox.putAll(facts)
      wakeups.urgent(workloads)
      return facts.map(({ id: factId }) => ({ factId, isNew: true }))
    },
    onCommit: (listener) => engine.onCommit(listener),
  }
}
