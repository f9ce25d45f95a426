import type { EventBody, HeadgateEvent, JournalRow } from '../../src/core/event.ts'
import type { Group } from '../../src/notify/batch.ts'
import { itemOf } from '../../src/notify/item.ts'
import { render } from '../../src/notify/render.ts'
import type { Notification } from '../../src/ports/channel.ts'

export const PLACES = { publicUrl: 'https://headgate.test', runbookUrl: 'https://wiki.test/headgate' }

export function eventOf(body: EventBody, workload: string | null = 'checkout', atMs = 0): HeadgateEvent {
  return { ...body, atMs, runId: '01RUN', workload, actor: 'headgate' }
}

export const REVERT: EventBody = {
  type: 'revert-started',
  fromPercent: 25,
  toPercent: 0,
  reason: 'new fails 3 % of <requests> & *more*',
  evidence: [
    {
      gate: 'burnRate/availability',
      outcome: 'revert',
      evidence: { longBurn: 31.25, factor: 14.4 },
      sentence: 'burns 31 times',
    },
    { gate: 'probe/healthz', outcome: 'pass', evidence: {}, sentence: 'all pass' },
  ],
}
export const RAISED: EventBody = {
  ...{ type: 'weight-intended', fromPercent: 5, toPercent: 25, trial: null, urgency: 'forward' },
  reason: 'every gate passed',
  evidence: [],
}
export const CONFIRMED: EventBody = { type: 'revert-confirmed', weightPercent: 0, secondsSinceStarted: 3 }
export const HALTED: EventBody = {
  type: 'hold-added',
  hold: { cause: 'halted', detail: 'both got worse alike', sinceMs: 0, actor: 'headgate' },
  evidence: [],
}
export const RESUMED: EventBody = { type: 'hold-removed', cause: 'halted', reason: 'ada looked', heldSeconds: 60 }
export const DRIFT: EventBody = {
  type: 'hold-added',
  hold: { cause: 'drift', detail: 'a target reads 40 %', sinceMs: 0, actor: 'headgate' },
  evidence: [],
}
export const QUIET: EventBody = { type: 'clock-gap', seconds: 30 }
export const CREATED: EventBody = { type: 'rollout-created' }

export function rowOf(seq: number, body: EventBody, workload: string | null = 'checkout', atMs = 0): JournalRow {
  return { seq, event: eventOf(body, workload, atMs) }
}

/** A revert that opened, and one that is over. */
export function sampleNotification(): Notification {
  const [opened, over] = [itemOf(rowOf(7, REVERT), null, PLACES), itemOf(rowOf(9, CONFIRMED, 'search'), null, PLACES)]
  const group: Group = {
    migration: 'eks-1-33',
    items: [opened, over],
    leftOut: 3,
    incidents: [
      { key: 'headgate/eks-1-33/checkout/revert', change: 'open', item: opened },
      { key: 'headgate/eks-1-33/search/revert', change: 'over', item: over },
    ],
  }
  return render(group, 'team-7-12-eks-1-33', { title: null, item: null })
}
