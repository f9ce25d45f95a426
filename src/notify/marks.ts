import type { HeadgateEvent } from '../core/event.ts'
import { isHalt } from '../core/state.ts'
import type { Mark } from '../ports/channel.ts'

/** What an event is on a graph: a mark that begins, and marks that are over; null: it is not marked. */
export function markOf(event: HeadgateEvent): Mark | null {
  switch (event.type) {
    case 'weight-intended':
      // The revert's own weight is marked as the revert.
      return event.urgency === 'forward' ? { begins: 'step', ends: ['step'] } : null
    case 'weight-adopted':
      return { begins: 'step', ends: ['step'] }
    case 'hold-added':
      return isHalt(event.hold.cause) ? { begins: 'halt', ends: [] } : null
    case 'hold-removed':
      return isHalt(event.cause) ? { begins: null, ends: ['halt'] } : null
    case 'revert-started':
      return { begins: 'revert', ends: ['step', 'halt'] }
    case 'revert-confirmed':
      return { begins: null, ends: ['revert'] }
    case 'phase-entered':
      if (event.to === 'completed' || event.to === 'cancelled')
        return { begins: 'end', ends: ['step', 'halt', 'revert'] }
      return event.to === 'baking' || event.to === 'draining' ? { begins: null, ends: ['step'] } : null
    default:
      return null
  }
}
