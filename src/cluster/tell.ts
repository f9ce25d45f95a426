import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { z } from 'zod'
import type { Missing } from '../core/observation.ts'
import type { ObjectRef } from '../core/plan.ts'
import type { ClusterNote } from '../ports/cluster.ts'
import type { Clock } from '../ports/runtime.ts'
import { type KubernetesClient, MERGE_PATCH } from '../shared/kubernetes/client.ts'
import { KubernetesFailure } from '../shared/kubernetes/failure.ts'
import { ask } from './api.ts'
import { missingFor } from './failure.ts'
import { nameOf, objectPath, pathOf } from './paths.ts'

/** The API server takes no longer note, bytes. */
const MAX_NOTE_BYTES = 1024
/** Names of objects are at most 253 long; 17 of them tell the notes apart. */
const MAX_NAME = 236
const MAX_INSTANCE = 128

const objectSchema = z.object({ metadata: z.object({ uid: z.string() }) })
const eventSchema = z.object({ series: z.object({ count: z.int() }).nullish() })

/**
 * Tells an event on an object. Its name comes of what it says, so that the same said again is the same event, counted up
 * for as long as the server keeps it.
 */
export async function tell(
  client: KubernetesClient,
  clock: Clock,
  { ref, note }: { readonly ref: ObjectRef; readonly note: ClusterNote },
  signal: AbortSignal,
): Promise<Missing | null> {
  const object = await ask(client, { method: 'GET', path: objectPath(ref) }, objectSchema, signal)
  if (object instanceof KubernetesFailure) return missingFor(`get ${nameOf(ref)}`, object)
  const { uid } = object.metadata
  const key = createHash('sha256')
    .update(JSON.stringify([uid, note]))
    .digest('hex')
    .slice(0, 16)
  const name = `${ref.name.slice(0, MAX_NAME)}.${key}`
  const events = pathOf('events.k8s.io/v1', ref.namespace, 'events')
  const at = microTime(clock.nowMs())
  const body = { type: 'application/json', value: eventOf(ref, note, { uid, name, at }) }
  const made = await ask(client, { method: 'POST', path: events, body }, eventSchema, signal)
  if (!(made instanceof KubernetesFailure)) return null
  if (made.status !== 409) return missingFor(`create an event on ${nameOf(ref)}`, made)

  const path = `${events}/${name}`
  const before = await ask(client, { method: 'GET', path }, eventSchema, signal)
  if (before instanceof KubernetesFailure) return missingFor(`get the event ${name}`, before)
  const series = { count: (before.series?.count ?? 1) + 1, lastObservedTime: at }
  const patch = { type: MERGE_PATCH, value: { series } }
  const counted = await ask(client, { method: 'PATCH', path, body: patch }, eventSchema, signal)
  return counted instanceof KubernetesFailure ? missingFor(`count up the event ${name}`, counted) : null
}

function eventOf(
  { kind, namespace, name: about }: ObjectRef,
  { reason, message, type }: ClusterNote,
  { uid, name, at }: { readonly uid: string; readonly name: string; readonly at: string },
): object {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace },
    eventTime: at,
    reportingController: 'headgate',
    reportingInstance: hostname().slice(0, MAX_INSTANCE) || 'headgate',
    action: reason,
    reason,
    type,
    note: cut(message),
    // With its uid `kubectl describe` finds it.
    regarding: { apiVersion: 'apps/v1', kind, namespace, name: about, uid },
  }
}

/** As the server wants times of events: with six digits behind the second. */
function microTime(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '000Z')
}

function cut(message: string): string {
  const bytes = Buffer.from(message, 'utf8')
  if (bytes.length <= MAX_NOTE_BYTES) return message
  // Half a character at the end would be one of replacement: it is left out.
  return `${new TextDecoder().decode(bytes.subarray(0, MAX_NOTE_BYTES - 3)).replace(/\uFFFD+$/, '')}…`
}
