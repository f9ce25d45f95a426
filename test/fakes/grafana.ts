import { z } from 'zod'
import type { Answer, WebRequest } from '../support/web-server.ts'
import { type FakeChannelServer, json, startChannelServer } from './channels.ts'

/** As `GET /api/annotations` gives them: https://grafana.com/docs/grafana/latest/developers/http_api/annotations/. */
export interface FakeAnnotation {
  readonly id: number
  readonly dashboardUID: string | null
  readonly panelId: number
  readonly time: number
  readonly timeEnd: number
  readonly text: string
  readonly tags: readonly string[]
}

export interface FakeGrafana extends FakeChannelServer {
  /** Newest last. */
  readonly annotations: readonly FakeAnnotation[]
  /** Forgets one, as a person may. */
  forget(id: number): void
  /** Takes the next annotation, and hangs up instead of saying so. */
  loseNextAnswer(): void
}

const added = z.strictObject({
  dashboardUID: z.string().max(40).optional(),
  panelId: z.int().optional(),
  time: z.int(),
  timeEnd: z.int().optional(),
  tags: z.array(z.string().max(100)).refine((tags) => JSON.stringify(tags).length <= 500, 'tags are too long'),
  text: z.string().min(1),
})
const patched = z.strictObject({ time: z.int().optional(), timeEnd: z.int().optional() })

/** Grafana's annotations, kept as it keeps them: one without an end ends as it begins. */
export async function startGrafana(): Promise<FakeGrafana> {
  const annotations: FakeAnnotation[] = []
  let lastId = 0
  let losesAnswer = false

  const search = ({ searchParams }: URL) => {
    const [from, to] = [Number(searchParams.get('from')), Number(searchParams.get('to'))]
    const isWithin = (one: FakeAnnotation) => from === 0 || to === 0 || (one.time <= to && one.timeEnd >= from)
    const wanted = searchParams.getAll('tags')
    return annotations
      .filter((one) => isWithin(one) && wanted.every((tag) => one.tags.includes(tag)))
      .toSorted((a, b) => b.time - a.time)
      .slice(0, Number(searchParams.get('limit') ?? 100))
  }

  const accepts: Answer = (response, request) => {
    const url = new URL(request.url, 'http://grafana.test')
    if (request.method === 'GET') return json(200, search(url))(response, request)
    if (request.method === 'POST') {
      const { dashboardUID = null, panelId = 0, ...rest } = added.parse(JSON.parse(request.body))
      annotations.push({ ...rest, timeEnd: rest.timeEnd ?? rest.time, id: ++lastId, dashboardUID, panelId })
      if (!losesAnswer) return json(200, { message: 'Annotation added', id: lastId })(response, request)
      losesAnswer = false
      return void response.destroy()
    }
    const index = annotations.findIndex(({ id }) => url.pathname.endsWith(`/${id}`))
    const known = annotations[index]
    if (!known) return json(404, { message: 'Annotation not found' })(response, request)
    annotations[index] = { ...known, ...withoutUndefined(patched.parse(JSON.parse(request.body))) }
    return json(200, { message: 'Annotation patched' })(response, request)
  }

  const server = await startChannelServer({
    fault,
    accepts,
    unfit: json(400, { message: 'bad request data' }),
    forbids: json(403, { message: 'You’ll need additional permissions', accessErrorId: 'ACE1' }),
  })
  return {
    ...server,
    annotations,
    forget: (id) => void annotations.splice(0, annotations.length, ...annotations.filter((one) => one.id !== id)),
    loseNextAnswer: () => {
      losesAnswer = true
    },
  }
}

function fault({ method, url, headers, body }: WebRequest): string | null {
  if (!headers.authorization?.startsWith('Bearer ')) return 'no token'
  if (!/^\/api\/annotations(?:\?.*)?$|^\/api\/annotations\/\d+$/.test(url)) return `no such path: ${url}`
  if (method === 'GET') return url.includes('type=annotation') ? null : 'alerts were not asked to be left out'
  if (headers['content-type'] !== 'application/json') return 'no JSON'
  const parsed = (method === 'PATCH' ? patched : added).safeParse(JSON.parse(body))
  return parsed.success ? null : z.prettifyError(parsed.error)
}

function withoutUndefined(patch: z.output<typeof patched>): Partial<FakeAnnotation> {
  return {
    ...(patch.time !== undefined && { time: patch.time }),
    ...(patch.timeEnd !== undefined && { timeEnd: patch.timeEnd }),
  }
}
