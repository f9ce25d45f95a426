import { describe, expect, onTestFinished, test } from 'vitest'
import { initialState } from '../../src/core/initial.ts'
import type { HoldCause, Phase, RolloutState } from '../../src/core/state.ts'
import { createSilenceApi } from '../../src/silence/api.ts'
import { SilenceKeeper } from '../../src/silence/keeper.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { systemClock } from '../../src/telemetry/runtime.ts'
import { startFakeAlertmanager } from '../fakes/alertmanager.ts'
import { alertmanagerConfig } from '../support/alerts.ts'
import { until } from '../support/until.ts'

const START_MS = Date.UTC(2026, 10, 20, 21, 45, 0)
const MINUTE_MS = 60_000

function stateOf(workload: string, change: Partial<RolloutState> = {}): RolloutState {
  const state = initialState(workload, 'run1', START_MS)
  const phase: Phase = { name: 'stepping', stepIndex: 1 }
  return { ...state, phase, intendedWeightPercent: 25, intendedAtMs: START_MS, ...change }
}

function heldBy(cause: HoldCause): Partial<RolloutState> {
  return { holds: [{ cause, detail: 'because', sinceMs: START_MS, actor: 'headgate' }] }
}

/** A keeper that looks when it is told to, and an Alertmanager whose clock is its own. */
async function scene() {
  const clock = createFakeClock(START_MS)
  const alertmanager = await startFakeAlertmanager(clock.nowMs)
  const silencing = (matcher: string) =>
    alertmanagerConfig({ url: alertmanager.url, silence: { matchers: [matcher], atMost: '10m' } })
  const world = {
    states: [stateOf('checkout')] as readonly RolloutState[],
    isLeading: true,
    decides: (_workload: string) => true,
    runId: 'run1',
    settings: silencing('alertname="TrafficRose"'),
  }
  const warned: string[] = []
  const log = { debug() {}, info() {}, warn: (_: object, message: string) => void warned.push(message), error() {} }
  const start = () => {
    let rests = 0
    const sleep = (ms: number, signal?: AbortSignal) => {
      rests += 1
      return clock.sleep(ms, signal)
    }
    const keeper = new SilenceKeeper({
      api: createSilenceApi({ clock: systemClock, secret: (reference) => reference }),
      settings: () => world.settings,
      states: () => world.states,
      isLeading: () => world.isLeading,
      decides: (workload) => world.decides(workload),
      runId: world.runId,
      clock: { ...clock, sleep },
      log,
    })
    onTestFinished(() => keeper.close())
    const after = async (act: () => unknown) => {
      const before = rests
      await act()
      await until('it has looked', () => rests > before)
    }
    return {
      close: () => keeper.close(),
      wake: () => keeper.wake(),
      /** Tells that this was committed, and waits until it is seen to. */
      commit: (change: Partial<typeof world> = {}) => {
        Object.assign(world, change)
        return after(() => keeper.wake())
      },
      /** Lets a time pass after which it looks by itself. */
      pass: (ms: number) => after(() => clock.advance(ms)),
    }
  }
  const names = () =>
    alertmanager.active().map(({ matchers }) => matchers.find(({ name }) => name === 'service')?.value)
  return { clock, alertmanager, world, warned, start, silencing, names }
}

describe('the silence of a step', () => {
  test('has its matchers, its end and its tag', async () => {
    const { alertmanager, start } = await scene()
    await start().commit()
    expect(alertmanager.active()).toMatchObject([
      {
        matchers: [
          { name: 'alertname', value: 'TrafficRose', isRegex: false, isEqual: true },
          { name: 'service', value: 'checkout', isRegex: false, isEqual: true },
        ],
        createdBy: 'headgate',
        endsAt: new Date(START_MS + 10 * MINUTE_MS).toISOString(),
        comment: expect.stringMatching(/^\[run run1 checkout \d+ \w+\] Headgate moves checkout to 25 %, step 2/),
      },
    ])
  })

  test('gives way to that of the next one', async () => {
    const { alertmanager, start } = await scene()
    const { commit, pass } = start()
    await commit()
    await pass(MINUTE_MS)
    await commit({ states: [stateOf('checkout', { intendedAtMs: START_MS + MINUTE_MS, intendedWeightPercent: 50 })] })
    expect(alertmanager.active()).toMatchObject([{ comment: expect.stringContaining('to 50 %') }])
    expect(alertmanager.silences()).toHaveLength(2)
  })

  test.each<[string, readonly RolloutState[]]>([
    ['a gate’s halt', [stateOf('checkout', heldBy('halted'))]],
    ['an alert’s halt', [stateOf('checkout', heldBy('alert'))]],
    ['a revert', [stateOf('checkout', { phase: { name: 'reverting', reason: 'harm', startedAtMs: START_MS } })]],
    ['the last step', [stateOf('checkout', { phase: { name: 'baking' } as Phase })]],
    ['the workload’s leaving the config', []],
  ])('is over with %s', async (_name, states) => {
    const { alertmanager, names, start } = await scene()
    const { commit } = start()
    await commit()
    await commit({ states })
    expect(names()).toEqual([])
    expect(alertmanager.silences()).toHaveLength(1)
  })

  test('stays while a person pauses, and is not longer than it may be', async () => {
    const { alertmanager, names, start } = await scene()
    const { commit, pass } = start()
    await commit({ states: [stateOf('checkout', heldBy('paused'))] })
    expect(names()).toEqual(['checkout'])
    await pass(10 * MINUTE_MS)
    await commit()
    expect(names()).toEqual([])
    expect(alertmanager.silences()).toHaveLength(1)
  })

  test('is of the workloads that step, each by itself', async () => {
    const { names, start } = await scene()
    const waiting = stateOf('billing', { phase: { name: 'waiting' } })
    await start().commit({ states: [stateOf('checkout'), waiting, stateOf('catalog')] })
    expect(names()).toEqual(['checkout', 'catalog'])
  })
})

describe('after a crash', () => {
  test('its silence is found again, and ended when its step is over', async () => {
    const { alertmanager, names, start } = await scene()
    const first = start()
    await first.commit()
    await first.close()
    expect(names()).toEqual(['checkout'])
    const { commit } = start()
    await commit()
    expect(alertmanager.silences()).toHaveLength(1)
    await commit({ states: [] })
    expect(names()).toEqual([])
  })

  test('in which the step ended, nothing stays silenced', async () => {
    const { names, start } = await scene()
    const first = start()
    await first.commit()
    await first.close()
    await start().commit({ states: [] })
    expect(names()).toEqual([])
  })

  test('or an answer that was lost, a silence is not made twice, and two of one kind become one', async () => {
    const { alertmanager, clock, names, start } = await scene()
    alertmanager.mood('losing')
    const { commit, pass } = start()
    await commit()
    alertmanager.mood('fine')
    await pass(5000)
    expect(alertmanager.silences()).toHaveLength(1)
    // By another process, which had listed before the first was made.
    const posted = alertmanager.requests.find(({ method }) => method === 'POST')
    await fetch(`${alertmanager.url}/api/v2/silences`, { method: 'POST', body: posted?.body ?? '' })
    expect(names()).toEqual(['checkout', 'checkout'])
    await pass(30_000)
    expect(names()).toEqual(['checkout'])
    expect(clock.nowMs()).toBe(START_MS + 35_000)
  })
})

describe('what is not its business', () => {
  test('silences of another run are left alone', async () => {
    const { names, start, world } = await scene()
    world.runId = 'run2'
    const other = start()
    await other.commit()
    await other.close()
    world.runId = 'run1'
    await start().commit({ states: [] })
    expect(names()).toEqual(['checkout'])
  })

  test('one that a person has ended is not made again for that step', async () => {
    const { alertmanager, names, start } = await scene()
    const { commit, pass } = start()
    await commit()
    alertmanager.expire(alertmanager.active()[0]?.id ?? '')
    await pass(30_000)
    expect(names()).toEqual([])
    expect(alertmanager.silences()).toHaveLength(1)
  })

  test('while another replica has the lease it neither makes nor ends any', async () => {
    const { alertmanager, names, start } = await scene()
    const { commit } = start()
    await commit({ isLeading: false })
    expect(alertmanager.requests).toEqual([])
    await commit({ isLeading: true })
    await commit({ isLeading: false, states: [] })
    expect(names()).toEqual(['checkout'])
  })
})

test('the silence of a workload that another replica decides about is left alone', async () => {
  const { names, start } = await scene()
  const { commit } = start()
  await commit()
  await commit({ states: [stateOf('catalog')], decides: (workload: string) => workload === 'catalog' })
  expect(names().toSorted()).toEqual(['catalog', 'checkout'])
})

describe('a reload', () => {
  test('that silences something else makes a new one, and ends the old one', async () => {
    const { alertmanager, silencing, start } = await scene()
    const { commit } = start()
    await commit()
    await commit({ settings: silencing('alertname="TrafficFell"') })
    expect(alertmanager.active().map(({ matchers }) => matchers[0]?.value)).toEqual(['TrafficFell'])
  })

  test('that silences nothing ends it', async () => {
    const { alertmanager, names, start } = await scene()
    const { commit } = start()
    await commit()
    await commit({ settings: alertmanagerConfig({ url: alertmanager.url }) })
    expect(names()).toEqual([])
  })
})

test('an Alertmanager that is away is told of once, asked again after a while, and not at each commit', async () => {
  const { alertmanager, names, warned, start } = await scene()
  alertmanager.mood('away')
  const { commit, wake, pass } = start()
  await commit()
  const asked = alertmanager.requests.length
  wake()
  wake()
  await pass(5000)
  expect(alertmanager.requests.length).toBe(asked + 1)
  expect(warned).toHaveLength(1)
  alertmanager.mood('fine')
  await pass(5000)
  expect(names()).toEqual(['checkout'])
  alertmanager.mood('away')
  await pass(30_000)
  expect(warned).toHaveLength(2)
})

test('without news it asks twice a minute, whatever is committed', async () => {
  const { alertmanager, start } = await scene()
  const { commit, pass } = start()
  await commit()
  const asked = alertmanager.requests.length
  for (let n = 0; n < 10; n++) await commit()
  expect(alertmanager.requests.length).toBe(asked)
  await pass(30_000)
  expect(alertmanager.requests.length).toBe(asked + 1)
})
