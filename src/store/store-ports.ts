import type { Cursors, Inbox, Journal, Store } from '../ports/store.ts'

/** All that a store is to its users, on one connection. `store.close` closes all. */
export interface StorePorts {
  readonly store: Store
  readonly inbox: Inbox
  readonly journal: Journal
  readonly cursors: Cursors
}
