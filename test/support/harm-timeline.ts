import { setTimeout as sleep } from 'node:timers/promises'
import type { JournalRow } from '../../src/core/event.ts'
import { guardOf } from '../../src/core/gates/burn.ts'
import { BUDGET, eventsOf, PAIR } from './migration.ts'
import { watchWeight } from './weights.ts'
import { CLUSTERS, type World } from './world.ts'

const POLL_MS = 20

/** A moment on the way from harm to safety. */
export interface Moment {
  readonly what: string
  /** Milliseconds since 1970. */
  readonly atMs: number
}

export interface HarmTimeline {
  /** In the order in which they came. */
  readonly moments: readonly Moment[]
  /** With the seconds from the moment at which Prometheus's own counts meet the policy's pair to HAProxy's weight of 0. */
  readonly text: string
}

/**
 * Watches Prometheus and HAProxy from outside, Headgate knowing nothing of it. The evidence suffices at the moment at
 * which a query to Prometheus shows both windows of the policy's pair at their factor, with their guard met.
 */
export function watchForHarm(world: World, service: string) {
  const watching = new AbortController()
  const weights = watchWeight(world.haproxy, service, watching.signal)
  const evidence = evidenceMoment(world, service, watching.signal)
  return {
    stop: async () => {
      watching.abort()
      await Promise.all([weights.ended, evidence])
    },
    timeline: async (rows: readonly JournalRow[]): Promise<HarmTimeline> => {
      const evidenceAtMs = await evidence
      watching.abort()
      await weights.ended
      const peak = weights.seen.findLastIndex(({ weightPercent }) => weightPercent !== 0)
      const zeroAtMs = weights.seen[peak + 1]?.atMs
      const known: readonly (readonly [string, number | null | undefined])[] = [
        ['the first request fails on NEW', world.service(service).new.firstFailedAtMs],
        ['Prometheus’s counts meet the pair', evidenceAtMs],
        ['the revert is decided', eventsOf(rows, 'revert-started')[0]?.atMs],
        ['HAProxy’s weight is 0', peak < 0 ? null : zeroAtMs],
        ['the revert is confirmed by reading back', eventsOf(rows, 'revert-confirmed')[0]?.atMs],
      ]
      const moments = known
        .flatMap(([what, atMs]) => (atMs === null || atMs === undefined ? [] : [{ what, atMs }]))
        .sort((a, b) => a.atMs - b.atMs)
      const secondsFromEvidence = ((zeroAtMs ?? Number.NaN) - (evidenceAtMs ?? Number.NaN)) / 1000
      return { moments, text: textOf(moments, secondsFromEvidence) }
    },
  }
}

/** null: the watch ended before. */
async function evidenceMoment(world: World, service: string, signal: AbortSignal): Promise<number | null> {
  while (!signal.aborted) {
    if ((await world.prometheus.value(pairQuery(service))) !== null) return Date.now()
    await sleep(POLL_MS)
  }
  return null
}

/** Has a sample when both windows of the pair burn at its factor or more, with enough requests. */
function pairQuery(service: string): string {
  const { longSeconds, shortSeconds, factor } = PAIR
  const all = `http_requests_total{cluster="${CLUSTERS.new}",service="${service}"}`
  const bad = `http_requests_total{cluster="${CLUSTERS.new}",service="${service}",code=~"5.."}`
  // What a counter grew in the last seconds; a series that is new has grown from zero.
  const growth = (series: string, seconds: number) =>
    `(sum(${series}) - (sum(${series} offset ${seconds}s) or vector(0)))`
  const burns = (seconds: number) =>
    `${growth(bad, seconds)} / ${growth(all, seconds)} >= ${factor * BUDGET} and ${growth(all, seconds)} * ${BUDGET} >= ${guardOf(factor)}`
  return `(${burns(longSeconds)}) and (${burns(shortSeconds)})`
}

function textOf(moments: readonly Moment[], secondsFromEvidence: number): string {
  const startMs = moments[0]?.atMs ?? 0
  return [
    'Timeline of the revert, seconds:',
    ...moments.map(({ what, atMs }) => `  ${((atMs - startMs) / 1000).toFixed(2).padStart(6)}  ${what}`),
    `From the evidence to a weight of 0: ${secondsFromEvidence.toFixed(2)} s`,
  ].join('\n')
}
