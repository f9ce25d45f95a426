import { describe, expect, test } from 'vitest'
import type { ActDeps } from '../../src/engine/act.ts'
import { WRITE_TIMEOUT_MS } from '../../src/engine/lease.ts'
import { settled } from '../../src/simulate/runtime.ts'
import { WriterBench } from './writer.ts'

describe('what goes out', () => {
  test('is everything that is desired, in one call', async () => {
    const bench = new WriterBench()
    await bench.want('a=10', 'b=20')
    expect(bench.told()).toEqual(['a=10 b=20'])
  })

  test('is one call at a time: the next begins when the last returned, with all that was desired by then', async () => {
    const bench = new WriterBench()
    await bench.want('a=10')
    await bench.want('b=20')
    await bench.want('c=30')
    expect(bench.told()).toEqual(['a=10'])
    await bench.apply()
    expect(bench.told()).toEqual(['a=10', 'b=20 c=30'])
  })

  test('is the reverts first and alone, however much else waits', async () => {
    const bench = new WriterBench()
    await bench.want('a=10')
    await bench.want('b=20')
    await bench.want('c=0!')
    await bench.want('d=0!')
    await bench.apply()
    await bench.apply()
    expect(bench.told()).toEqual(['a=10', 'c=0! d=0!', 'b=20'])
  })

  test('is the last word on each target', async () => {
    const bench = new WriterBench()
    await bench.want('a=10')
    await bench.want('b=20')
    await bench.want('b=50')
    await bench.want('b=0!')
    await bench.apply()
    await bench.apply()
    expect(bench.told()).toEqual(['a=10', 'b=0!'])
  })

  test('is not what was withdrawn before it went', async () => {
    const bench = new WriterBench()
    await bench.want('a=10')
    await bench.want('b=20', 'c=30')
    await bench.want('b')
    await bench.apply()
    expect(bench.told()).toEqual(['a=10', 'c=30'])
  })

  test('is not doubled while the same write is under way, and goes again when it is wanted afterwards', async () => {
    const bench = new WriterBench()
    await bench.want('a=10')
    await bench.want('a=10')
    await bench.apply()
    expect(bench.told()).toEqual(['a=10'])
    bench.readAtMs.set('a', bench.clock.nowMs())
    await bench.want('a=10')
    expect(bench.told()).toEqual(['a=10', 'a=10'])
  })
})

describe('a write that fails', () => {
  test('is not tried again when it was a step forward: the next sweep may think better of it', async () => {
    const bench = new WriterBench()
    await bench.want('a=10')
    await bench.refuse()
    await bench.clock.advance(3_600_000)
    expect(bench.told()).toEqual(['a=10'])
    expect(bench.reports).toMatchObject([{ kind: 'failed', attempt: 1, problem: { code: 'TRAFFIC_REFUSED' } }])
  })

  test.each([
    ['the least', 0, [100, 200, 400, 800, 1600, 2500, 2500]],
    ['the most', 1, [200, 400, 800, 1600, 3200, 5000, 5000]],
  ])('is tried for ever when it was a revert, ever more slowly, with %s jitter', async (_, chance, pausesMs) => {
    const bench = new WriterBench({ chance })
    await bench.want('a=0!')
    for (const pauseMs of pausesMs) {
      const count = bench.calls.length
      await bench.refuse()
      await bench.clock.advance(pauseMs - 1)
      expect(bench.calls).toHaveLength(count)
      await bench.clock.advance(1)
      expect(bench.calls).toHaveLength(count + 1)
    }
    expect(bench.reports.map((report) => report.kind === 'failed' && report.attempt)).toEqual([1, 2, 3, 4, 5, 6, 7])
    await bench.apply()
    await bench.clock.advance(60_000)
    expect(bench.calls).toHaveLength(8)
  })

  test('is overtaken by nothing when it was a revert', async () => {
    const bench = new WriterBench()
    await bench.want('a=0!')
    await bench.want('b=20')
    await bench.refuse()
    await bench.clock.advance(5_000)
    expect(bench.told()).toEqual(['a=0!', 'a=0!'])
    await bench.apply()
    expect(bench.told()).toEqual(['a=0!', 'a=0!', 'b=20'])
  })

  test('does not hold up the revert of another target, which goes at once and takes it along', async () => {
    const bench = new WriterBench({ chance: 1 })
    await bench.want('a=0!')
    for (let n = 0; n < 6; n++) {
      await bench.refuse()
      if (n < 5) await bench.clock.advance(5_000)
    }
    const count = bench.calls.length
    await bench.want('b=0!')
    expect(bench.told().slice(count)).toEqual(['a=0! b=0!'])
  })

  test('does not hold up a revert that was wanted while it was under way', async () => {
    const bench = new WriterBench({ chance: 1 })
    await bench.want('a=0!')
    await bench.want('b=0!')
    await bench.refuse()
    expect(bench.told()).toEqual(['a=0!', 'b=0! a=0!'])
  })

  test('is tried no faster because each sweep wants it again', async () => {
    const bench = new WriterBench({ chance: 1 })
    await bench.want('a=0!')
    await bench.refuse()
    for (let n = 0; n < 5; n++) await bench.want('a=0!')
    expect(bench.calls).toHaveLength(1)
    await bench.clock.advance(200)
    expect(bench.calls).toHaveLength(2)
  })

  test('leaves no pause to the revert that follows a step, nor its count of tries', async () => {
    const bench = new WriterBench({ chance: 1 })
    for (let n = 0; n < 6; n++) {
      await bench.want('a=10')
      if (n === 5) await bench.want('a=0!')
      await bench.refuse()
    }
    expect(bench.told().at(-1)).toBe('a=0!')
    await bench.refuse()
    expect(bench.reports.at(-1)).toMatchObject({ kind: 'failed', weightPercent: 0, attempt: 1 })
    await bench.clock.advance(200)
    expect(bench.calls).toHaveLength(8)
  })

  test('is not tried again once it was withdrawn while it was under way, as by a cancel', async () => {
    const bench = new WriterBench()
    await bench.want('a=0!')
    await bench.want('a')
    await bench.refuse()
    await bench.clock.advance(60_000)
    expect(bench.told()).toEqual(['a=0!'])
  })

  test('is tried again when a revert to the same weight was wanted meanwhile', async () => {
    const bench = new WriterBench()
    await bench.want('a=0')
    await bench.want('a=0!')
    await bench.refuse()
    expect(bench.told()).toEqual(['a=0', 'a=0!'])
  })

  test('that is half done reports each target by itself, and tries the other again', async () => {
    const bench = new WriterBench()
    await bench.want('a=0!', 'b=0!')
    await bench.answer(() => new Map([['a', { kind: 'applied' }]]))
    expect(bench.reports).toMatchObject([
      { kind: 'applied', targetId: 'a' },
      { kind: 'failed', targetId: 'b', problem: { code: 'TRAFFIC_TIMEOUT' } },
    ])
    await bench.clock.advance(200)
    expect(bench.told()).toEqual(['a=0! b=0!', 'b=0!'])
  })
})

describe('an adapter that breaks its word does not end the writer', () => {
  const bad: Readonly<Record<string, ActDeps['write']>> = {
    rejects: async () => {
      throw new Error('a bug')
    },
    'throws at once': () => {
      throw new Error('a bug')
    },
    'never answers': () => new Promise(() => {}),
    'answers nothing': async () => new Map(),
  }
  test.each(Object.keys(bad))('one that %s is reported as failed, and asked again', async (way) => {
    let count = 0
    const bench = new WriterBench({
      write: async (...args) => {
        count += 1
        if (count > 1) return new Map([['a', { kind: 'applied' }]])
        return (bad[way] ?? (async () => new Map()))(...args)
      },
    })
    await bench.want('a=0!')
    await bench.clock.advance(10_000)
    await bench.clock.advance(200)
    expect(bench.reports).toMatchObject([
      { kind: 'failed', attempt: 1, problem: { code: 'TRAFFIC_TIMEOUT' } },
      { kind: 'applied' },
    ])
  })

  test('the signal of a call aborts after the time that a lease leaves it, and not before', async () => {
    const signals: AbortSignal[] = []
    const bench = new WriterBench({
      write: (_, __, signal) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    await bench.want('a=10')
    await bench.clock.advance(WRITE_TIMEOUT_MS - 1)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    await bench.clock.advance(1)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    expect(bench.clock.sleepers()).toBe(0)
  })
})

describe('without the lease', () => {
  test('nothing is written, and the log says so', async () => {
    const bench = new WriterBench()
    bench.leaseToken = null
    await bench.want('a=0!')
    expect(bench.told()).toEqual([])
    expect(bench.log.lines).toMatchObject([{ level: 'warn' }])
  })

  test('it is asked for right before each write, not once', async () => {
    const bench = new WriterBench()
    await bench.want('a=10')
    await bench.want('b=20')
    bench.leaseToken = null
    await bench.apply()
    expect(bench.told()).toEqual(['a=10'])
  })

  test.each([
    ['while a revert waited to be tried again', null],
    ['and the writer noticed nothing, because it slept', 3],
  ])('what was wanted under the old one is forgotten: it was lost %s', async (_, tokenAfterwards) => {
    const bench = new WriterBench()
    await bench.want('a=0!')
    await bench.refuse()
    bench.leaseToken = tokenAfterwards
    await bench.clock.advance(5_000)
    bench.leaseToken = 3
    await bench.want('b=20')
    expect(bench.told()).toEqual(['a=0!', 'b=20'])
  })
})

describe('stop', () => {
  test('lets the call under way end, and makes no other', async () => {
    const bench = new WriterBench()
    await bench.want('a=10')
    await bench.want('b=0!')
    let hasStopped = false
    const stopped = bench.writer.stop().then(() => (hasStopped = true))
    await settled()
    expect(hasStopped).toBe(false)
    await bench.apply()
    await stopped
    await bench.want('c=0!')
    expect(bench.told()).toEqual(['a=10'])
    expect(bench.reports).toMatchObject([{ kind: 'applied', targetId: 'a' }])
  })

  test('does not wait for the pause after a failed revert', async () => {
    const bench = new WriterBench()
    await bench.want('a=0!')
    await bench.refuse()
    await bench.writer.stop()
    expect(bench.clock.sleepers()).toBe(0)
    expect(bench.told()).toEqual(['a=0!'])
  })
})
