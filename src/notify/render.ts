import type { Severity } from '../core/event.ts'
import type { ChannelConfig } from '../policy/config.ts'
import type { Notification, NotificationItem } from '../ports/channel.ts'
import { cut } from '../shared/cut.ts'
import { fillTemplate } from '../shared/template.ts'
import type { Group } from './batch.ts'
import { itemText, itemValues, LOUDNESS } from './words.ts'

const MAX_TITLE = 200

/** Makes a notification of a group, in the words of the channel's templates. */
export function render(group: Group, id: string, template: ChannelConfig['template']): Notification {
  const { migration, items, leftOut, incidents } = group
  const severity = items.reduce<Severity>(
    (max, item) => (LOUDNESS[item.severity] > LOUDNESS[max] ? item.severity : max),
    'info',
  )
  const texts = items.map((item) =>
    template.item === null ? itemText(item) : fillTemplate(template.item, itemValues(item, migration)),
  )
  if (leftOut > 0) texts.push(`… and ${leftOut} more, in the journal`)
  const title =
    template.title === null ? titleOf(group, severity) : fillTemplate(template.title, titleValues(group, severity))
  return {
    id,
    migration,
    severity,
    title: cut(title.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim(), MAX_TITLE),
    text: texts.join('\n\n'),
    items,
    leftOut,
    incidents,
  }
}

/** The event that the title speaks of: the first of the loudest. */
function leading(items: readonly NotificationItem[], severity: Severity): NotificationItem | undefined {
  return items.find((item) => item.severity === severity)
}

function titleOf({ migration, items, leftOut }: Group, severity: Severity): string {
  const first = leading(items, severity)
  const count = items.length + leftOut
  const about = [migration, first?.workload].filter((part) => part).join('/')
  return `[${severity.toUpperCase()}] ${about === '' ? '' : `${about}: `}${first?.what ?? ''}${count > 1 ? ` (and ${count - 1} more)` : ''}`
}

function titleValues({ migration, items, leftOut }: Group, severity: Severity): Readonly<Record<string, string>> {
  const workloads = [...new Set(items.flatMap(({ workload }) => workload ?? []))]
  return {
    severity,
    migration: migration ?? '',
    workloads: workloads.join(', '),
    what: leading(items, severity)?.what ?? '',
    count: String(items.length + leftOut),
    leftOut: String(leftOut),
  }
}
