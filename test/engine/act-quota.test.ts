import { describe, expect, test } from 'vitest'
import type { Urgency } from '../../src/core/effect.ts'
import type { WriteResult } from '../../src/ports/traffic.ts'
import { settled } from '../../src/simulate/runtime.ts'
import { type Results, WriterBench } from './writer.ts'

describe('what the call had no room for', () => {
  const only = (targetId: string, rest: string): Results =>
    new Map<string, WriteResult>([
      [targetId, { kind: 'applied' }],
      [rest, { kind: 'deferred' }],
    ])

  test('is asked again with the next call, and not told as a failure', async () => {
    const bench = new WriterBench()
    await bench.want('a=10', 'b=20')
    await bench.answer(() => only('a', 'b'))
    expect(bench.told()).toEqual(['a=10 b=20', 'b=20'])
    expect(bench.reports).toMatchObject([{ kind: 'applied', targetId: 'a' }])
  })

  test('goes before a step that was wanted meanwhile, when it is a revert', async () => {
    const bench = new WriterBench()
    await bench.want('a=0!', 'b=0!')
    await bench.want('c=30')
    await bench.answer(() => only('a', 'b'))
    expect(bench.told()).toEqual(['a=0! b=0!', 'b=0!'])
    await bench.apply()
    expect(bench.told().at(-1)).toBe('c=30')
  })

  test.each([
    ['a later word', 'b=50', ['a=10 b=20', 'b=50']],
    ['a revert', 'b=0!', ['a=10 b=20', 'b=0!']],
    ['its being withdrawn', 'b', ['a=10 b=20']],
  ])('gives way to %s', async (_, word, want) => {
    const bench = new WriterBench()
    await bench.want('a=10', 'b=20')
    await bench.want(word)
    await bench.answer(() => only('a', 'b'))
    expect(bench.told()).toEqual(want)
  })

  test('is asked again at once while a batch is halved, but not for ever', async () => {
    const bench = new WriterBench()
    const room = (): Results => new Map([['a', { kind: 'deferred' }]])
    await bench.want('a=0!')
    for (let call = 1; call <= 12; call++) await bench.answer(room)
    expect(bench.reports).toEqual([])
    await bench.answer(room)
    expect(bench.reports).toMatchObject([{ kind: 'failed', attempt: 1, problem: { code: 'TRAFFIC_BAD_ANSWER' } }])
    expect(bench.calls).toHaveLength(13)
    await bench.clock.advance(200)
    expect(bench.calls).toHaveLength(14)
  })
})

describe('what was acknowledged', () => {
  test('is not written again before somebody has looked', async () => {
    const bench = new WriterBench()
    await bench.want('a=0!')
    await bench.apply()
    await bench.want('a=0!')
    expect(bench.told()).toEqual(['a=0!'])
  })

  test('is written again once a later read does not show it', async () => {
    const bench = new WriterBench()
    await bench.want('a=0!')
    await bench.apply()
    bench.readAtMs.set('a', bench.clock.nowMs())
    await bench.want('a=0!')
    expect(bench.told()).toEqual(['a=0!', 'a=0!'])
  })

  test('is written again when nobody could look for a minute, or the clock went back', async () => {
    const bench = new WriterBench()
    await bench.want('a=0!')
    await bench.apply()
    await bench.clock.advance(60_000)
    await bench.want('a=0!')
    await bench.apply()
    bench.clock.set(bench.clock.nowMs() - 1000)
    await bench.want('a=0!')
    expect(bench.calls).toHaveLength(3)
  })

  test('does not keep another word from being written', async () => {
    const bench = new WriterBench()
    await bench.want('a=10')
    await bench.apply()
    await bench.want('a=0!')
    await bench.apply()
    await bench.want('a=10')
    expect(bench.told()).toEqual(['a=10', 'a=0!', 'a=10'])
  })
})

describe('where the provider has a quota', () => {
  /** A writer whose turns the test gives, and as what it waits for them. */
  function withTurns() {
    const turns: { readonly urgency: Urgency; readonly give: () => Promise<void> }[] = []
    const bench = new WriterBench({
      takeTurn: (_, urgency, signal) =>
        new Promise((resolve) => {
          const end = (isTaken: boolean) => {
            turns.splice(turns.indexOf(turn), 1)
            resolve(isTaken)
          }
          const turn = {
            urgency,
            give: async () => {
              end(true)
              await settled()
            },
          }
          turns.push(turn)
          signal.addEventListener('abort', () => end(false), { once: true })
        }),
    })
    const waiting = () => turns.map(({ urgency }) => urgency)
    return { bench, waiting, give: async () => turns[0]?.give() }
  }

  test('nothing is written before its turn, and then what is wanted by then', async () => {
    const { bench, waiting, give } = withTurns()
    await bench.want('a=10')
    await bench.want('a=50', 'b=20')
    expect([bench.told(), waiting()]).toEqual([[], ['forward']])
    await give()
    expect(bench.told()).toEqual(['a=50 b=20'])
  })

  test('each call takes a turn, that of a revert which is tried again too', async () => {
    const { bench, waiting, give } = withTurns()
    await bench.want('a=0!')
    await give()
    await bench.refuse()
    await bench.clock.advance(200)
    expect([bench.told(), waiting()]).toEqual([['a=0!'], ['revert']])
    await give()
    expect(bench.told()).toEqual(['a=0!', 'a=0!'])
  })

  test('a revert does not wait in the place of a step', async () => {
    const { bench, waiting, give } = withTurns()
    await bench.want('a=10')
    await bench.want('b=0!')
    expect(waiting()).toEqual(['revert'])
    await give()
    expect([bench.told(), waiting()]).toEqual([['b=0!'], []])
    await bench.apply()
    expect(waiting()).toEqual(['forward'])
    await give()
    expect(bench.told()).toEqual(['b=0!', 'a=10'])
  })

  test('a second revert leaves the first one its place', async () => {
    let turns = 0
    const bench = new WriterBench({
      takeTurn: async () => {
        turns += 1
        await bench.clock.sleep(1000)
        return true
      },
    })
    await bench.want('a=0!')
    await bench.clock.advance(900)
    await bench.want('b=0!')
    await bench.clock.advance(100)
    expect([bench.told(), turns]).toEqual([['a=0! b=0!'], 1])
  })

  test('a step does not wait in the place of a revert that was withdrawn', async () => {
    const { bench, waiting, give } = withTurns()
    await bench.want('a=0!', 'b=20')
    expect(waiting()).toEqual(['revert'])
    await bench.want('a')
    expect(waiting()).toEqual(['forward'])
    await give()
    expect(bench.told()).toEqual(['b=20'])
  })

  test('no turn is waited for once all was withdrawn, and no empty call is made', async () => {
    const { bench, waiting } = withTurns()
    await bench.want('a=10')
    await bench.want('a')
    expect([bench.told(), waiting()]).toEqual([[], []])
    await bench.want('a=10')
    expect(waiting()).toEqual(['forward'])
  })

  test.each([null, 3])('the lease that was lost during the wait (now: %s) writes nothing', async (token) => {
    const { bench, waiting, give } = withTurns()
    await bench.want('a=0!')
    bench.leaseToken = token
    await give()
    expect([bench.told(), waiting()]).toEqual([[], []])
    bench.leaseToken = 3
    await bench.want('b=20')
    await give()
    expect(bench.told()).toEqual(['b=20'])
  })

  test('a stop ends the wait, and writes nothing', async () => {
    const { bench, waiting } = withTurns()
    await bench.want('a=0!')
    await bench.writer.stop()
    expect([bench.told(), waiting()]).toEqual([[], []])
  })

  test('a stop at the moment of its turn writes nothing either', async () => {
    const { bench, give } = withTurns()
    await bench.want('a=0!')
    const given = give()
    await bench.writer.stop()
    await given
    expect(bench.told()).toEqual([])
  })
})
