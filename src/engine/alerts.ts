import type { AlertIntake } from '../ports/alerts.ts'
import type { Wakeups } from '../ports/runtime.ts'
import type { Inbox } from '../ports/store.ts'

export interface AlertIntakeDeps {
  readonly inbox: Inbox
  readonly wakeups: Pick<Wakeups, 'urgent'>
}

/** Brings alerts into the inbox of the running engine. */
export function createAlertIntake({ inbox, wakeups }: AlertIntakeDeps): AlertIntake {
  return {
    take: async (facts) => {
      if (facts.length === 0) return []
      const isNew = await inbox.putAll(facts)
      wakeups.urgent(facts.flatMap(({ workload }) => workload ?? []))
      return isNew
    },
  }
}
