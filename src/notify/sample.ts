import type { ChannelConfig } from '../policy/config.ts'
import type { Notification, NotificationItem } from '../ports/channel.ts'
import type { Places } from './item.ts'
import { render } from './render.ts'

/** A notification that is plainly a test, with an incident that opens and is over at once. */
export function sampleOf(config: ChannelConfig, places: Places, id: string, nowMs: number): Notification {
  const item: NotificationItem = {
    ...{ seq: 0, atMs: nowMs, runId: 'test', event: 'revert-started', workload: null, actor: 'headgate' },
    severity: config.severity,
    mark: { begins: 'revert', ends: [] },
    what: 'this is a test of Headgate’s notifications: nothing happened',
    why: ['somebody ran `headgate notify test`'],
    did: 'Sent this',
    next: 'Nothing needs to be done',
    links: [
      ...(places.publicUrl === null ? [] : [{ label: 'Now', url: `${places.publicUrl}/api/v1/status` }]),
      ...(places.runbookUrl === null ? [] : [{ label: 'Runbook', url: places.runbookUrl }]),
    ],
    queries: [],
  }
  const key = `headgate/test/${id}`
  const incidents = (['open', 'over'] as const).map((change) => ({ key, change, item }))
  return render({ migration: null, items: [item], leftOut: 0, incidents }, `${config.name}-test-${id}`, config.template)
}
