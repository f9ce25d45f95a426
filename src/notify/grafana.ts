import { z } from 'zod'
import type { ChannelKind, Delivery, MarkKind, Notification, NotificationItem } from '../ports/channel.ts'
import { cut } from '../shared/cut.ts'
import { parseJson } from '../shared/json.ts'
import { about, secretReference } from '../shared/schema.ts'
import { ACCEPTED, allowedAddresses, later, Poster, plainUrl, withSecrets } from './http.ts'

const MAX_TEXT = 4_000
/** Grafana's columns hold no longer key or value of a tag: `key:value`, each at most so long. */
const MAX_TAG = 90

const settings = z.strictObject({
  url: plainUrl().meta(about('Grafana, as people open it', 'https://grafana.example.com')),
  token: secretReference().meta(
    about('Token of a service account that may read, create and write annotations', '${env:GRAFANA_TOKEN}'),
  ),
  dashboard: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/, 'no UID of a dashboard: write the part after /d/ of its address')
    .optional()
    .meta(
      about('UID of the only dashboard that shows them; by default all of the organisation may', 'headgate-on-call'),
    ),
  panel: z.int().min(1).optional().meta(about('Id of the only panel of that dashboard', 4)),
  tags: z
    .array(z.string().min(1).max(40))
    .max(5)
    .prefault([])
    .meta(about('More tags of each annotation', ['platform'])),
  allowAddresses: allowedAddresses(),
})

type Settings = z.output<typeof settings>

/** What a search gives of an annotation; of one that has no end, or that ends as it begins, the end is still to come. */
const found = z.array(z.object({ id: z.int(), time: z.number(), timeEnd: z.number().optional() }))

/**
 * Grafana's annotations API: a step, a halt and a revert are regions from their beginning to their end. The API knows no
 * idempotency key, so what is there already is looked for before it is added.
 */
export const grafana: ChannelKind<Settings> = {
  kind: 'grafana',
  settings,
  takes: 'marks',
  open(to, { secret }) {
    const poster = new Poster(to.allowAddresses)
    return {
      send: (notification, signal) =>
        withSecrets(async () => {
          const api = new Annotations(poster, to, secret(to.token), signal)
          for (const item of notification.items) {
            const delivery = await markOne(api, item, notification, to)
            if (delivery.outcome !== 'accepted') return delivery
          }
          return ACCEPTED
        }),
      close: () => poster.close(),
    }
  },
}

/** Ends what is over, and adds what begins; what of it was done before is not done again. */
async function markOne(
  api: Annotations,
  item: NotificationItem,
  { migration }: Notification,
  { dashboard, panel, tags }: Settings,
): Promise<Delivery> {
  const { atMs, mark } = item
  if (mark === null) return ACCEPTED
  const tagsOf = (kind: MarkKind) => identityOf(kind, item, migration)
  for (const kind of mark.ends) {
    const known = await api.search(tagsOf(kind), { fromMs: 1, toMs: atMs })
    if ('outcome' in known) return known
    // The newest comes first; an older one that was left open, as Headgate was away, is no region up to here.
    const [newest] = known
    if (!newest || newest.time >= atMs || (newest.timeEnd ?? 0) > newest.time) continue
    const ended = await api.end(newest.id, atMs)
    if (ended.outcome !== 'accepted') return ended
  }
  if (mark.begins === null) return ACCEPTED
  const own = tagsOf(mark.begins)
  const known = await api.search(own, { fromMs: atMs, toMs: atMs })
  if ('outcome' in known) return known
  if (known.some(({ time }) => time === atMs)) return ACCEPTED
  return api.add({
    ...(dashboard !== undefined && { dashboardUID: dashboard, ...(panel !== undefined && { panelId: panel }) }),
    time: atMs,
    tags: [...new Set([...own, ...tags])],
    text: textOf(item),
  })
}

/** Tags that, with its time, make a mark the only one of its kind. */
function identityOf(kind: MarkKind, { runId, workload }: NotificationItem, migration: string | null) {
  const named = { run: runId, migration, workload }
  const pairs = Object.entries(named).flatMap(([key, value]) => (value === null ? [] : [`${key}:${value}`]))
  return ['headgate', kind, ...pairs].map((tag) => cut(tag, MAX_TAG))
}

/** Grafana shows it as HTML. */
function textOf({ workload, what, why, links, actor }: NotificationItem): string {
  const lines = [`${workload === null ? '' : `${workload}: `}${what}`, ...why, `by ${actor}`]
  const text = escaped(cut(lines.join('\n'), MAX_TEXT)).replaceAll('\n', '<br>')
  const anchors = links.map(({ label, url }) => `<a href="${escaped(url)}">${escaped(label)}</a>`)
  return [text, ...(anchors.length > 0 ? [anchors.join(' · ')] : [])].join('<br>')
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replaceAll(/[&<>"]/g, (char) => entities[char] ?? char)
}

/** The calls that are made, with one token and until one deadline. */
class Annotations {
  readonly #poster: Poster
  readonly #url: string
  readonly #token: string
  readonly #signal: AbortSignal

  constructor(poster: Poster, { url }: Settings, token: string, signal: AbortSignal) {
    this.#poster = poster
    this.#url = `${url.replace(/\/+$/, '')}/api/annotations`
    this.#token = token
    this.#signal = signal
  }

  /** Those with all of these tags that are within a time, newest first; or why they are not known. */
  async search(tags: readonly string[], { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }) {
    const query = new URLSearchParams({ type: 'annotation', from: `${fromMs}`, to: `${toMs}`, limit: '100' })
    for (const tag of tags) query.append('tags', tag)
    const answer = await this.#ask('GET', `?${query}`)
    if ('delivery' in answer) return answer.delivery
    const parsed = found.safeParse(parseJson(answer.body))
    if (!parsed.success) return later('the answer is no list of annotations: is the URL that of Grafana?')
    return parsed.data.toSorted((a, b) => b.time - a.time)
  }

  async add(annotation: object): Promise<Delivery> {
    const answer = await this.#ask('POST', '', annotation)
    return 'delivery' in answer ? answer.delivery : ACCEPTED
  }

  async end(id: number, atMs: number): Promise<Delivery> {
    const answer = await this.#ask('PATCH', `/${id}`, { timeEnd: atMs })
    // Somebody has deleted it: there is nothing left to end.
    if ('delivery' in answer) return answer.status === 404 ? ACCEPTED : answer.delivery
    return ACCEPTED
  }

  #ask(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object) {
    const headers = { authorization: `Bearer ${this.#token}`, accept: 'application/json' }
    const text = body === undefined ? null : JSON.stringify(body)
    const secrets = [this.#token]
    return this.#poster.post({ method, url: `${this.#url}${path}`, headers, body: text, secrets }, this.#signal)
  }
}
