import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { EventBody } from '../../src/core/event.ts'
import { Notifier } from '../../src/notify/notifier.ts'
import type { ChannelConfig } from '../../src/policy/config.ts'
import type { Channel, ChannelKind, Delivery, Notification } from '../../src/ports/channel.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createMemoryStore } from '../../src/simulate/store.ts'
import { sampleCommit } from '../store/samples.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { CONFIRMED, CREATED, DRIFT, eventOf, HALTED, RAISED, RESUMED, REVERT } from './samples.ts'

const TEAM: ChannelConfig = {
  name: 'team',
  kind: 'fake',
  settings: {},
  severity: 'warn',
  workloads: null,
  migrations: null,
  groupSeconds: 30,
  mostPerMinute: 20,
  template: { title: null, item: '{{event}} {{workload}}' },
}

const ACCEPTED: Delivery = { outcome: 'accepted' }
const AWAY: Delivery = { outcome: 'later', detail: 'no answer', retryAfterSeconds: null }

const ending: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0)) await end()
})

/** A journal that outlives notifiers, and channels that answer as a test says. */
function createScene() {
  const clock = createFakeClock(1_000_000)
  const memory = createMemoryStore()
  const sent: { readonly channel: string; readonly notification: Notification; readonly atMs: number }[] = []
  const accepted: typeof sent = []
  const counted: string[] = []
  const answers = new Map<string, (tries: number) => Promise<Delivery>>()
  const logged: object[] = []
  const note = (fields: object) => void logged.push(fields)

  const kindOf = (takes: ChannelKind['takes'], kind: string): ChannelKind => ({
    kind,
    settings: z.looseObject({}),
    takes,
    open: (settings): Channel => ({
      async send(notification) {
        const channel = String((settings as { name?: string }).name ?? 'team')
        const one = { channel, notification, atMs: clock.nowMs() }
        sent.push(one)
        const delivery =
          (await answers.get(channel)?.(sent.filter((other) => other.channel === channel).length)) ?? ACCEPTED
        if (delivery.outcome === 'accepted') accepted.push(one)
        return delivery
      },
      close: async () => {},
    }),
  })

  const start = async (channels: readonly ChannelConfig[] = [TEAM], mayTell = () => true) => {
    const notifier = new Notifier({
      journal: memory.journal,
      cursors: memory.cursors,
      clock,
      random: { next: () => 1, id: () => 'id' },
      log: { debug: note, info: note, warn: note, error: note },
      count: (channel, outcome) => void counted.push(`${channel} ${outcome}`),
      migrationOf: (workload) => (workload === 'ads' ? 'other' : 'm'),
      planOf: () => null,
      mayTell,
      kinds: [kindOf('messages', 'fake'), kindOf('incidents', 'pager'), kindOf('marks', 'graph')],
      context: adapterContext(),
    })
    await notifier.use({ runbookUrl: null, channels }, null)
    const close = () => notifier.close()
    ending.push(close)
    await clock.advance(0)
    return { notifier, close }
  }

  const happen = async (...events: readonly [EventBody, workload?: string | undefined][]) => {
    const { revision } = await memory.store.load()
    const lease = await memory.store.lease('one', 0, 1)
    const rows = events.map(([body, workload = 'checkout']) => eventOf(body, workload, clock.nowMs()))
    await memory.store.commit(sampleCommit({ lease, revision, events: rows }))
  }
  const texts = (channel = 'team') =>
    accepted.filter((one) => one.channel === channel).map(({ notification }) => notification.text)
  return { clock, memory, sent, accepted, counted, answers, logged, start, happen, texts }
}

const named = (name: string, changes: Partial<ChannelConfig> = {}): ChannelConfig => ({
  ...TEAM,
  name,
  settings: { name },
  ...changes,
})
const SECOND = 1000

describe('a channel', () => {
  test('is told of what comes after its first start, not of the past', async () => {
    const { start, happen, clock, texts } = createScene()
    await happen([REVERT])
    await start()
    await happen([DRIFT])
    await clock.advance(60 * SECOND)
    expect(texts()).toEqual(['hold-added checkout'])
  })

  test('is told together what comes within its time, by migration', async () => {
    const { start, happen, clock, texts } = createScene()
    const { notifier } = await start()
    await happen([DRIFT], [DRIFT, 'ads'], [CREATED])
    notifier.wake()
    await clock.advance(20 * SECOND)
    await happen([DRIFT, 'search'])
    expect(texts()).toEqual([])
    await clock.advance(15 * SECOND)
    expect(texts()).toEqual(['hold-added checkout\n\nhold-added search', 'hold-added ads'])
  })

  test('is told of a page at once, with what waited', async () => {
    const { start, happen, clock, texts } = createScene()
    const { notifier } = await start()
    await happen([DRIFT])
    notifier.wake()
    await clock.advance(SECOND)
    await happen([REVERT, 'search'])
    notifier.wake()
    await clock.advance(0)
    expect(texts()).toEqual(['hold-added checkout\n\nrevert-started search'])
  })

  test('of two processes on one store one is told by, and by the other from there on when it is its turn', async () => {
    const { start, happen, clock, texts } = createScene()
    let turn = 'first'
    const { notifier: first } = await start([TEAM], () => turn === 'first')
    const { notifier: second } = await start([TEAM], () => turn === 'second')
    for (const [who, event] of [
      ['first', REVERT],
      ['second', DRIFT],
    ] as const) {
      turn = who
      await happen([event])
      first.wake()
      second.wake()
      await clock.advance(60 * SECOND)
    }
    expect(texts()).toEqual(['revert-started checkout', 'hold-added checkout'])
  })

  test('is told of a page within seconds even if nobody wakes it', async () => {
    const { start, happen, clock, texts } = createScene()
    await start()
    await happen([REVERT])
    await clock.advance(10 * SECOND)
    expect(texts()).toEqual(['revert-started checkout'])
  })

  test('that is down holds up no other, and gets all of it when it is back', async () => {
    const { start, happen, clock, texts, answers, counted, logged } = createScene()
    let isBack = false
    answers.set('down', async () => (isBack ? ACCEPTED : AWAY))
    const { notifier } = await start([named('down'), named('up')])
    await happen([REVERT])
    notifier.wake()
    await clock.advance(0)
    expect(texts('up')).toEqual(['revert-started checkout'])
    await clock.advance(600 * SECOND)
    expect(texts('down')).toEqual([])
    isBack = true
    await clock.advance(300 * SECOND)
    expect(texts('down')).toEqual(['revert-started checkout'])
    expect(new Set(counted)).toEqual(new Set(['down later', 'up accepted', 'down accepted']))
    expect(logged.filter((fields) => 'why' in fields)).toHaveLength(1)
  })

  test('is asked again after growing pauses, up to five minutes', async () => {
    const { start, happen, clock, answers, sent } = createScene()
    answers.set('team', async () => AWAY)
    const { notifier } = await start()
    await happen([REVERT])
    notifier.wake()
    await clock.advance(2_000 * SECOND)
    const pauses = sent.slice(1).map(({ atMs }, index) => (atMs - (sent[index]?.atMs ?? 0)) / SECOND)
    expect(pauses.slice(0, 12)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
  })

  test('that says when it wants to be asked again is left alone until then', async () => {
    const { start, happen, clock, answers, sent } = createScene()
    answers.set('team', async (tries) => (tries === 1 ? { ...AWAY, retryAfterSeconds: 90 } : ACCEPTED))
    const { notifier } = await start()
    await happen([REVERT])
    notifier.wake()
    await clock.advance(200 * SECOND)
    expect(sent.map(({ atMs }) => (atMs - 1_000_000) / SECOND)).toEqual([0, 90])
  })

  test('that refuses a notification for good is told the next one', async () => {
    const { start, happen, clock, answers, texts, counted } = createScene()
    answers.set('team', async (tries) => (tries === 1 ? { outcome: 'refused', detail: 'answered 400' } : ACCEPTED))
    const { notifier } = await start()
    await happen([REVERT])
    notifier.wake()
    await clock.advance(0)
    await happen([HALTED, 'search'])
    await clock.advance(20 * SECOND)
    expect(texts()).toEqual(['hold-added search'])
    expect(counted).toEqual(['team refused', 'team accepted'])
  })

  test('gets a summary after a long outage, not a flood', async () => {
    const { start, happen, clock, answers, accepted } = createScene()
    let isBack = false
    answers.set('team', async () => (isBack ? ACCEPTED : AWAY))
    const { notifier } = await start()
    await happen([REVERT])
    notifier.wake()
    await clock.advance(SECOND)
    for (let round = 0; round < 30; round++) await happen(...Array.from({ length: 50 }, (): [EventBody] => [DRIFT]))
    await happen([HALTED, 'search'])
    isBack = true
    await clock.advance(600 * SECOND)
    expect(accepted.map(({ notification: { items, leftOut } }) => [items.length, leftOut])).toEqual([
      [1, 0],
      [20, 1481],
    ])
    expect(accepted[1]?.notification.title).toContain('search')
  })

  test('gets no more than it takes in a minute', async () => {
    const { start, happen, clock, sent } = createScene()
    const { notifier } = await start([named('team', { mostPerMinute: 3, groupSeconds: 0 })])
    for (let second = 0; second < 120; second++) {
      await happen([REVERT])
      notifier.wake()
      await clock.advance(SECOND)
    }
    await clock.advance(60 * SECOND)
    for (const { atMs } of sent)
      expect(sent.filter((other) => other.atMs >= atMs && other.atMs < atMs + 60 * SECOND).length).toBeLessThanOrEqual(
        3,
      )
    expect(sent.reduce((sum, { notification: { items, leftOut } }) => sum + items.length + leftOut, 0)).toBe(120)
  })

  test('of incidents hears of nothing else', async () => {
    const { start, happen, clock, accepted } = createScene()
    const { notifier } = await start([named('team', { kind: 'pager', severity: 'info', groupSeconds: 0 })])
    await happen([CREATED])
    notifier.wake()
    await clock.advance(SECOND)
    await happen([REVERT], [CONFIRMED])
    notifier.wake()
    await clock.advance(SECOND)
    expect(accepted.map(({ notification }) => notification.incidents.map(({ change }) => change))).toEqual([
      ['open', 'over'],
    ])
  })

  test('of marks is told each by itself, at once, none left out after a long outage, and of nothing else', async () => {
    const { start, happen, clock, accepted, answers } = createScene()
    const graph = named('graph', { kind: 'graph', severity: 'info', mostPerMinute: 600 })
    const { notifier } = await start([graph])
    answers.set('graph', async (tries) => (tries === 1 ? AWAY : ACCEPTED))
    await happen([HALTED], [DRIFT], [CREATED])
    notifier.wake()
    await clock.advance(0)
    await happen(
      ...Array.from(
        { length: 250 },
        (_, index) => (index % 2 === 0 ? [REVERT] : [CONFIRMED, 'ads']) as [EventBody, string?],
      ),
    )
    await clock.advance(300 * SECOND)
    const told = accepted.map(({ notification: { items, leftOut } }) => [leftOut, ...items.map(({ seq }) => seq)])
    expect(told).toEqual([[0, 1], ...Array.from({ length: 250 }, (_, index) => [0, 4 + index])])
    expect(new Set(accepted.map(({ notification: { id } }) => id)).size).toBe(251)
  })

  test('of marks goes by severity for what begins, and hears of every end', async () => {
    const { start, happen, clock, accepted } = createScene()
    await start([named('graph', { kind: 'graph', severity: 'page', workloads: ['checkout'] })])
    await happen([RAISED], [HALTED], [RESUMED], [HALTED, 'search'])
    await clock.advance(60 * SECOND)
    expect(accepted.map(({ notification: { items } }) => items[0]?.event)).toEqual(['hold-added', 'hold-removed'])
  })

  test('goes on with a changed config where it was, and one that stays is left alone', async () => {
    const { start, happen, clock, texts } = createScene()
    const { notifier } = await start([named('a'), named('b')])
    await happen([DRIFT])
    await notifier.use({ runbookUrl: null, channels: [named('a'), named('b', { groupSeconds: 0 })] }, null)
    await clock.advance(0)
    expect([texts('a'), texts('b')]).toEqual([[], ['hold-added checkout']])
    await clock.advance(60 * SECOND)
    expect([texts('a'), texts('b')]).toEqual([['hold-added checkout'], ['hold-added checkout']])
  })
})

describe('over restarts', () => {
  test('nothing is lost and nothing doubled, wherever the store fails or the process ends', async () => {
    const points = ['read', 'cursor', 'afterCursor', 'lastSeq'] as const
    for (const [point, kind] of points.flatMap((one) => [[one, 'fake'] as const, [one, 'graph'] as const]))
      for (let after = 0; after < 6; after++) {
        const scene = createScene()
        const first = await scene.start([named('team', { kind, groupSeconds: 0 })])
        const steps = [[REVERT], [HALTED, 'search'], [HALTED, 'ads'], [CONFIRMED]] as const
        for (const [index, [body, workload]] of steps.entries()) {
          await scene.happen([body, workload])
          if (index * 2 >= after) scene.memory.failNext(point, 'STORE_BUSY')
          first.notifier.wake()
          await scene.clock.advance(after % 2 === 0 ? 0 : 3 * SECOND)
          if (index === 1) await first.close()
        }
        const second = await scene.start([named('team', { kind, groupSeconds: 0 })])
        await scene.clock.advance(600 * SECOND)
        await second.close()
        // A failed note of an acceptance has it sent again, under the same id: that is one to its receiver.
        const byId = new Map(
          scene.accepted.map(({ notification }) => [notification.id, notification.items.map(({ seq }) => seq)]),
        )
        const told = [...byId.values()].flat().toSorted()
        expect([point, kind, after, told]).toEqual([point, kind, after, [1, 2, 3, 4]])
      }
  })

  test('a kill between acceptance and its note has the same sent again, under the same id, though more has happened', async () => {
    const { start, happen, clock, memory, sent } = createScene()
    const first = await start()
    await happen([REVERT])
    // The third write is the note of the acceptance; all after it fail too, as nothing is written by a dead process.
    memory.failNext('read', 'STORE_BUSY')
    first.notifier.wake()
    await clock.advance(0)
    const before = await memory.cursors.read('team')
    await clock.advance(5 * SECOND)
    await first.close()
    // As it was before the note.
    if (before) await memory.cursors.write({ ...before, upToSeq: 1, accepted: [] })
    await happen([HALTED, 'search'])
    await start()
    await clock.advance(60 * SECOND)
    expect(sent.map(({ notification: { id, items } }) => [id, items.length])).toEqual([
      ['team-1-1-m', 1],
      ['team-1-1-m', 1],
      ['team-2-2-m', 1],
    ])
  })

  test('of two migrations told at once, the one that was accepted is not told again', async () => {
    const { start, happen, clock, answers, accepted } = createScene()
    answers.set('team', async (tries) => (tries === 2 ? AWAY : ACCEPTED))
    const first = await start()
    await happen([REVERT], [REVERT, 'ads'])
    first.notifier.wake()
    await clock.advance(0)
    await first.close()
    await start()
    await clock.advance(60 * SECOND)
    expect(accepted.map(({ notification: { id } }) => id)).toEqual(['team-1-2-m', 'team-1-2-other'])
  })

  test('the end of what was told before is told after', async () => {
    const { start, happen, clock, accepted } = createScene()
    const pager = named('team', { kind: 'pager', severity: 'page' })
    const first = await start([pager])
    await happen([REVERT])
    first.notifier.wake()
    await clock.advance(0)
    await first.close()
    await happen([CONFIRMED])
    await start([pager])
    await clock.advance(60 * SECOND)
    const incidents = accepted.flatMap(({ notification }) => notification.incidents)
    expect(incidents.map(({ key, change }) => [key, change])).toEqual([
      ['headgate/m/checkout/revert', 'open'],
      ['headgate/m/checkout/revert', 'over'],
    ])
  })
})
