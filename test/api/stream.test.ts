import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { readEvents, type ServerEvent } from '../../src/cli/sse.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { fakeEvent, NOW_MS } from '../fakes/service.ts'
import { listeningApi, OPERATOR_TOKEN, signIn, TOKENS, testApi, VIEWER_TOKEN } from '../support/api.ts'
import { untilHolds } from '../support/until.ts'

/** Reads a stream until `count` rows came (or it ended), then hangs up. */
async function readRows(url: string, count: number, headers: Record<string, string> = {}) {
  const { events, hangUp } = await openStream(url, headers)
  const rows: ServerEvent[] = []
  while (rows.length < count) {
    const { done, value } = await events.next()
    if (done) break
    if (value.event === 'message') rows.push(value)
  }
  hangUp()
  return rows
}

async function openStream(url: string, headers: Record<string, string> = {}) {
  const hangingUp = new AbortController()
  const response = await fetch(url, { headers, signal: hangingUp.signal })
  if (!response.body) throw new Error('no body')
  return { response, events: readEvents(response.body), hangUp: () => hangingUp.abort() }
}

const open = { tokens: () => [] }

describe('the journal stream', () => {
  test('says at once that it stands, and where it would go on', async () => {
    const { url, service } = await listeningApi(open)
    service.append(fakeEvent('catalog'), fakeEvent('catalog'))
    const { response, events } = await openStream(`${url}/api/v1/stream`)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect((await events.next()).value).toEqual({ id: '2', event: 'ready', data: '{"afterSeq":2}' })
  })

  test('begins with what is new, unless it is told where', async () => {
    const { url, service } = await listeningApi(open)
    service.append(fakeEvent('catalog', 'old'), fakeEvent('catalog', 'older'))
    const { events } = await openStream(`${url}/api/v1/stream`)
    await events.next()
    service.append(fakeEvent('catalog', 'new'))
    expect((await events.next()).value?.id).toBe('3')
    expect((await readRows(`${url}/api/v1/stream?afterSeq=1`, 2)).map(({ id }) => id)).toEqual(['2', '3'])
  })

  test('a row is that of the journal, with its sentence', async () => {
    const { url, service } = await listeningApi(open)
    const event = fakeEvent('catalog')
    service.append(event)
    const [row] = await readRows(`${url}/api/v1/stream?afterSeq=0`, 1)
    expect(JSON.parse(row?.data ?? '')).toEqual({
      seq: 1,
      severity: 'info',
      sentence: 'preparing → stepping 1: first step',
      event,
    })
  })

  test('one workload’s rows alone', async () => {
    const { url, service } = await listeningApi(open)
    service.append(fakeEvent('catalog'), fakeEvent('checkout'), fakeEvent(null), fakeEvent('checkout'))
    const rows = await readRows(`${url}/api/v1/stream?afterSeq=0&workload=checkout`, 2)
    expect(rows.map(({ id }) => id)).toEqual(['2', '4'])
  })

  test('however often a reader comes back, no row is lost and none comes twice', async () => {
    const { url, service } = await listeningApi(open)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ before: fc.nat(300), during: fc.nat(5), read: fc.integer({ min: 1, max: 250 }) }), {
          minLength: 1,
          maxLength: 5,
        }),
        async (visits) => {
          const first = await service.journal.lastSeq()
          let lastEventId = String(first)
          const seen: number[] = []
          const grow = (count: number) => {
            for (let n = 0; n < count; n += 1) service.append(fakeEvent('catalog'))
          }
          for (const { before, during, read } of visits) {
            grow(before + 1)
            const wanted = Math.min(read, before + 1 + during)
            const rows = readRows(`${url}/api/v1/stream`, wanted, { 'last-event-id': lastEventId })
            grow(during)
            for (const { id } of await rows) seen.push(Number(id))
            lastEventId = String(seen.at(-1))
          }
          expect(seen).toEqual(seen.map((_, index) => first + index + 1))
        },
      ),
      { numRuns: 25 },
    )
  })

  test('only so many at a time; one that ends makes room', async () => {
    const { url, service } = await listeningApi({ ...open, limits: { streams: 2 } })
    const first = await openStream(`${url}/api/v1/stream`)
    const second = await openStream(`${url}/api/v1/stream`)
    await Promise.all([first.events.next(), second.events.next()])
    const third = await fetch(`${url}/api/v1/stream`)
    expect(third.status).toBe(503)
    expect(await third.json()).toMatchObject({ code: 'API_OVERLOADED' })
    first.hangUp()
    await untilHolds(() => expect(service.listeners.size).toBe(1))
    expect((await fetch(`${url}/api/v1/stream`)).status).toBe(200)
  })

  test('a reader that takes nothing is disconnected, and nothing is kept for it', async () => {
    const clock = createFakeClock(NOW_MS)
    const { url, service, logged } = await listeningApi({ ...open, clock })
    for (let n = 0; n < 200; n += 1) service.append(fakeEvent('catalog', 'x'.repeat(100_000)))
    const reads = vi.spyOn(service.journal, 'read')
    const socket = await deafReader(url)
    const isClosed = new Promise((resolve) => socket.once('close', resolve))
    // It waits for the reader, with a page of rows at hand and no more.
    await untilHolds(() => expect(clock.sleepers()).toBe(1))
    expect(reads).toHaveBeenCalledTimes(1)
    await clock.advance(30_000)
    await untilHolds(() => expect(service.listeners.size).toBe(0))
    expect(logged.join()).toContain('takes nothing and is disconnected')
    socket.resume()
    await isClosed
  })

  test('more than a connection holds comes whole to a reader that goes on taking', async () => {
    const { url, service } = await listeningApi(open)
    for (let n = 0; n < 50; n += 1) service.append(fakeEvent('catalog', 'x'.repeat(100_000)))
    const rows = await readRows(`${url}/api/v1/stream?afterSeq=0`, 50)
    expect(rows).toHaveLength(50)
  })

  test('a journal that cannot be read ends the stream; the reader comes back and loses nothing', async () => {
    const { url, service } = await listeningApi(open)
    const { events } = await openStream(`${url}/api/v1/stream`)
    await events.next()
    service.failing = new Error('disk')
    service.append(fakeEvent('catalog'))
    expect((await events.next()).done).toBe(true)
    service.failing = null
    expect(await readRows(`${url}/api/v1/stream`, 1, { 'last-event-id': '0' })).toHaveLength(1)
  })

  test('ends when the service stops', async () => {
    const { app, url, service } = await listeningApi(open)
    const { events } = await openStream(`${url}/api/v1/stream`)
    await events.next()
    await app.close()
    expect((await events.next()).done).toBe(true)
    expect(service.listeners.size).toBe(0)
  })

  test.each(['-1', 'x', '1.5'])('Last-Event-ID %s does not fit', async (id) => {
    const { app } = await testApi(open)
    const response = await app.inject({ url: '/api/v1/stream', headers: { 'last-event-id': id } })
    expect(response.statusCode).toBe(400)
    expect(response.json().code).toBe('API_BAD_REQUEST')
  })
})

/** Asks for the stream and then reads nothing. */
async function deafReader(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  socket.pause()
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(`GET /api/v1/stream?afterSeq=0 HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`)
  return socket
}

describe('reading server-sent events', () => {
  const text = 'id: 1\nevent: ready\ndata: {}\n\n: heartbeat\n\ndata: a\ndata: ü\r\n\r\nid:2\ndata\n\ndata: cut off'
  const want = [
    { id: '1', event: 'ready', data: '{}' },
    { id: null, event: 'message', data: 'a\nü' },
    { id: '2', event: 'message', data: '' },
  ]

  test('wherever the chunks break', async () => {
    const bytes = new TextEncoder().encode(text)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length })), async (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        async function* chunks() {
          for (const [index, edge] of edges.slice(1).entries()) yield bytes.subarray(edges[index], edge)
        }
        const found: ServerEvent[] = []
        for await (const event of readEvents(chunks())) found.push(event)
        expect(found).toEqual(want)
      }),
    )
  })
})

describe('the stream of a page', () => {
  const signedIn = async (overrides: Parameters<typeof listeningApi>[0] = {}) => {
    const api = await listeningApi(overrides)
    const { headers } = await signIn(api.app, VIEWER_TOKEN, new URL(api.url).host)
    return { ...api, stream: `${api.url}/api/v1/stream?afterSeq=0`, headers, cookie: { cookie: headers.cookie } }
  }

  test('takes the cookie alone, as EventSource can send no header', async () => {
    const { service, stream, cookie } = await signedIn()
    service.append(fakeEvent('catalog'))
    expect((await readRows(stream, 1, cookie)).map(({ id }) => id)).toEqual(['1'])
  })

  test('refuses a cookie that is none', async () => {
    const { stream } = await signedIn()
    const { response } = await openStream(stream, { cookie: 'headgate=nonsense' })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ code: 'API_UNAUTHENTICATED' })
  })

  test.each(['signed out', 'lost its token', 'lost its role'])('reads no further once it has %s', async (how) => {
    const at = { tokens: TOKENS }
    const { app, service, stream, headers, cookie } = await signedIn({ tokens: () => at.tokens })
    service.append(fakeEvent('catalog'))
    const { events } = await openStream(stream, cookie)
    expect([(await events.next()).value?.event, (await events.next()).value?.id]).toEqual(['ready', '1'])
    if (how === 'signed out') await app.inject({ method: 'DELETE', url: '/api/v1/session', headers })
    if (how === 'lost its token') at.tokens = TOKENS.slice(1)
    if (how === 'lost its role') at.tokens = TOKENS.map((token) => ({ ...token, role: 'webhook' as const }))
    service.append(fakeEvent('catalog', 'secret to it'))
    expect((await events.next()).done).toBe(true)
  })

  test('one viewer keeps nobody else from looking', async () => {
    const { service, stream, cookie, url } = await signedIn({ limits: { streamsEach: 2 } })
    service.append(fakeEvent('catalog'))
    const first = await openStream(stream, cookie)
    await first.events.next()
    const second = await openStream(stream, { authorization: `Bearer ${VIEWER_TOKEN}` })
    await second.events.next()
    const third = await openStream(stream, cookie)
    expect(third.response.status).toBe(503)
    expect(await third.response.json()).toMatchObject({ code: 'API_OVERLOADED' })
    expect(await readRows(stream, 1, { authorization: `Bearer ${OPERATOR_TOKEN}` })).toHaveLength(1)
    first.hangUp()
    await untilHolds(async () => {
      const again = await openStream(`${url}/api/v1/stream`, cookie)
      again.hangUp()
      expect(again.response.status).toBe(200)
    })
  })
})
