import type { HeadgateEvent, JournalRow } from '../core/event.ts'
import { explain, severityOf } from '../core/explain.ts'
import type { Verdict } from '../core/gates/verdict.ts'
import type { Plan } from '../core/plan.ts'
import type { Link, NotificationItem } from '../ports/channel.ts'
import { adviceOn } from './advice.ts'
import { markOf } from './marks.ts'
import { queriesFor } from './queries.ts'
import { evidenceLines } from './words.ts'

/** Where links lead. */
export interface Places {
  /** The API and its page, without a slash at its end; null: nobody said. */
  readonly publicUrl: string | null
  /** The page with what to do; null: nobody said. */
  readonly runbookUrl: string | null
}

/** One event, for people. `plan` is that of its workload, where it is known. */
export function itemOf({ seq, event }: JournalRow, plan: Plan | null, places: Places): NotificationItem {
  const { atMs, runId, type, workload, actor } = event
  const verdicts = verdictsOf(event)
  const { did, next, topic } = adviceOn(event)
  const named = (text: string) => text.replaceAll('NAME', workload ?? 'NAME')
  return {
    ...{ seq, atMs, runId, event: type, workload, actor },
    severity: severityOf(event),
    mark: markOf(event),
    what: explain(event),
    why: evidenceLines(verdicts),
    did,
    next: named(next),
    links: linksOf(workload, topic, places),
    queries: queriesFor(plan, verdicts),
  }
}

function verdictsOf(event: HeadgateEvent): readonly Verdict[] {
  if ('evidence' in event) return event.evidence
  if (event.type === 'sight-changed')
    return event.changes.flatMap(({ from, ...verdict }) => Object.keys(from).map((gate) => ({ gate, ...verdict })))
  return event.type === 'verdict-changed' ? [event.verdict] : []
}

function linksOf(workload: string | null, topic: string | null, { publicUrl, runbookUrl }: Places): readonly Link[] {
  const links: Link[] = []
  if (publicUrl !== null) {
    const path = workload === null ? 'status' : `workloads/${encodeURIComponent(workload)}`
    links.push({ label: 'Now', url: `${publicUrl}/api/v1/${path}` })
  }
  if (runbookUrl !== null && topic !== null)
    links.push({ label: 'Runbook', url: `${runbookUrl.replace(/#.*$/, '')}#${topic}` })
  return links
}
