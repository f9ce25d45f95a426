import type { EventBody, HeadgateEvent } from '../core/event.ts'
import { isHalt } from '../core/state.ts'

/** What an event does to the troubles that people may have been woken for; keys are within the migration. */
export interface IncidentChange {
  /** null: it opens none. */
  readonly opens: string | null
  /** Whether it ends the trouble with this key. */
  ends(key: string): boolean
}

/** Tells which trouble an event opens, and which ones it ends. `owner` is the migration, or what stands for it. */
export function incidentOf(event: HeadgateEvent, owner: string): IncidentChange {
  const prefix = `headgate/${owner}/${event.workload ?? ''}/`
  const topic = topicOpened(event)
  const ended = topicsEnded(event)
  return {
    opens: topic === null ? null : `${prefix}${topic}`,
    ends: (key) => key.startsWith(prefix) && (ended === 'all' || ended.includes(key.slice(prefix.length))),
  }
}

function topicOpened(event: EventBody): string | null {
  switch (event.type) {
    case 'hold-added':
      return `hold-${event.hold.cause}`
    case 'blind-too-long':
      return 'hold-blind'
    case 'revert-started':
      return 'revert'
    case 'revert-refused':
      return 'revert-refused'
    case 'write-failed':
      return 'write'
    case 'share-stuck':
      return 'stuck'
    case 'config-rejected':
      return 'config'
    case 'old-not-quiet':
      return 'old-not-quiet'
    case 'check-changed':
      return event.to === 'fail' || event.to === 'missing' ? `check-${event.check}` : null
    case 'task-ended':
      return event.outcome === 'failed' ? `task-${event.task}` : null
    default:
      return null
  }
}

function topicsEnded(event: EventBody): 'all' | readonly string[] {
  switch (event.type) {
    case 'hold-removed':
      return isHalt(event.cause) ? [`hold-${event.cause}`, 'revert-refused'] : [`hold-${event.cause}`]
    case 'revert-started':
      return ['revert-refused']
    case 'revert-confirmed':
      return ['revert', 'write', 'stuck']
    case 'weight-confirmed':
      return ['write']
    case 'weight-in-force':
      return ['stuck']
    case 'config-loaded':
      return ['config']
    case 'old-quiet':
      return ['old-not-quiet']
    case 'check-changed':
      return event.to === 'fail' || event.to === 'missing' ? [] : [`check-${event.check}`]
    case 'task-ended':
      return event.outcome === 'passed' ? [`task-${event.task}`] : []
    case 'phase-entered':
      return event.to === 'reverted' || event.to === 'cancelled' || event.to === 'completed' ? 'all' : []
    case 'rollout-closed':
      return 'all'
    default:
      return []
  }
}
