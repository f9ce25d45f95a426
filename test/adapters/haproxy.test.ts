import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TrafficTarget, WeightChange } from '../../src/ports/traffic.ts'
import { haproxy } from '../../src/traffic/haproxy/kind.ts'
import type { HaproxySettings } from '../../src/traffic/haproxy/settings.ts'
import { nearestWeights, serverWeights } from '../../src/traffic/haproxy/weights.ts'
import { firstToSet, sharePercent } from '../../src/traffic/ratio.ts'
import { TARGET_IDS, type TrafficTraits, trafficConformance } from '../conformance/traffic.ts'
import { type FakeHaproxy, startFakeHaproxy } from '../fakes/haproxy.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { type RealHaproxy, startHaproxy } from '../support/haproxy.ts'
import { requireServer } from '../support/servers.ts'

const INEXPRESSIBLE = [0.1, 0.2, 0.3, 99.7, 99.8, 99.9]
const TRAITS: Omit<TrafficTraits, 'createPlace'> = { canary: null, inexpressiblePercents: INEXPRESSIBLE }
const BACKENDS = ['a', 'b', 'c']

function targets(socket: string, ids: readonly string[] = TARGET_IDS): readonly TrafficTarget<HaproxySettings>[] {
  return ids.map((id) => ({
    id,
    settings: haproxy.settings.parse({ socket, backend: id, old: 'old', new: 'new' }),
  }))
}

function open(socket: string, ids?: readonly string[]) {
  return haproxy.open(targets(socket, ids), null, adapterContext())
}

function anyLongWhile(): AbortSignal {
  return AbortSignal.timeout(120_000)
}

function change(targetId: string, weightPercent: number): WeightChange {
  return { targetId, weightPercent, ttlSeconds: null, urgency: 'forward' }
}

trafficConformance('haproxy, before a fake of its runtime API,', {
  ...TRAITS,
  async createPlace() {
    const fake = await startFakeHaproxy(BACKENDS)
    return {
      open: () => open(fake.socketName),
      async writeForeign(targetId, weightPercent) {
        setServers(fake, targetId, 100 - weightPercent, weightPercent)
      },
      hang: async () => fake.hang(),
      stop: fake.stop,
      remove: fake.stop,
    }
  },
})

function setServers(fake: FakeHaproxy, backend: string, old: number, new_: number): void {
  for (const [name, weight] of [
    ['old', old],
    ['new', new_],
  ] as const) {
    const server = fake.backends.get(backend)?.get(name)
    if (server) server.weight = weight
  }
}

const binary = requireServer('haproxy', 'haproxy, the real one')

describe.skipIf(binary === null)('the real HAProxy', () => {
  const start = () =>
    startHaproxy(
      binary ?? '',
      BACKENDS.map((name) => ({ name, ports: { old: 1, new: 1 } })),
    )
  const placeOf = (proxy: RealHaproxy, socket: string) => ({
    open: () => open(socket),
    async writeForeign(targetId: string, weightPercent: number) {
      await proxy.command(
        `set server ${targetId}/old weight ${100 - weightPercent}; set server ${targetId}/new weight ${weightPercent}`,
      )
    },
    hang: async () => proxy.freeze(),
    stop: proxy.stop,
    remove: proxy.stop,
  })

  trafficConformance('haproxy over its socket', {
    ...TRAITS,
    async createPlace() {
      const proxy = await start()
      return placeOf(proxy, proxy.socketName)
    },
  })
  trafficConformance('haproxy over TCP', {
    ...TRAITS,
    async createPlace() {
      const proxy = await start()
      return placeOf(proxy, proxy.tcpSocketName)
    },
  })

  describe('in states of its servers', () => {
    let proxy: RealHaproxy
    beforeEach(async () => {
      proxy = await startHaproxy(binary ?? '', [
        { name: 'a', ports: { old: 1, new: 1 } },
        { name: 'static', ports: { old: 1, new: 1 }, lines: ['balance static-rr'] },
        {
          name: 'checked',
          ports: { old: 1, new: 1 },
          lines: ['option httpchk', 'default-server check inter 10ms fall 1'],
        },
      ])
    })
    afterEach(() => proxy.stop())

    test.each([
      ['NEW in maintenance', 'set server a/new state maint', 'server a/new is in maintenance'],
      ['NEW draining', 'set server a/new state drain', 'server a/new is draining'],
      ['OLD in maintenance', 'set server a/old state maint', 'server a/old is in maintenance'],
      ['both at weight 0', 'set server a/old weight 0; set server a/new weight 0', 'both servers of a have weight 0'],
    ])('%s at 50 %%: no reading, because neither 50 nor anything else is true', async (_, command, detail) => {
      const scope = open(proxy.socketName)
      await scope.write([change('a', 50)], anyLongWhile())
      await proxy.command(command)
      const reading = (await scope.read(['a'], anyLongWhile())).get('a')
      expect(reading).toMatchObject({ kind: 'missing', detail: expect.stringContaining(detail) })
    })

    test('a server that is down by its health check, and has a weight, gives no reading', async () => {
      const scope = open(proxy.socketName, ['checked'])
      await expect
        .poll(async () => (await scope.read(['checked'], anyLongWhile())).get('checked'), { timeout: 20_000 })
        .toMatchObject({ kind: 'missing', detail: expect.stringContaining('server checked/old is down') })
    })

    test('a revert is confirmed although NEW is in maintenance', async () => {
      const scope = open(proxy.socketName)
      await scope.write([change('a', 50)], anyLongWhile())
      await proxy.command('set server a/new state maint')
      await scope.write([{ targetId: 'a', weightPercent: 0, ttlSeconds: null, urgency: 'revert' }], anyLongWhile())
      expect((await scope.read(['a'], anyLongWhile())).get('a')).toEqual({ kind: 'weight', weightPercent: 0 })
    })

    test('an algorithm without weights refuses in its own words', async () => {
      const scope = open(proxy.socketName, ['static'])
      expect((await scope.write([change('static', 10)], anyLongWhile())).get('static')).toMatchObject({
        kind: 'failed',
        problem: { code: 'TRAFFIC_REFUSED', cause: expect.stringContaining('static LB algorithm') },
      })
    })

    test('a socket that is not of level admin reads, and says what to do about writes', async () => {
      const scope = open(proxy.viewerSocketName)
      expect((await scope.read(['a'], anyLongWhile())).get('a')).toEqual({ kind: 'weight', weightPercent: 0 })
      expect((await scope.write([change('a', 10)], anyLongWhile())).get('a')).toMatchObject({
        kind: 'failed',
        problem: { code: 'TRAFFIC_REFUSED', hint: 'open the socket with `level admin`' },
      })
    })
  })

  test('a thousand targets go in one call', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `service-${index}`)
    const proxy = await startHaproxy(
      binary ?? '',
      [],
      names
        .map((name) => `backend ${name}\n  server old 127.0.0.1:1 weight 100\n  server new 127.0.0.1:1 weight 0`)
        .join('\n'),
    )
    const scope = open(proxy.socketName, names)
    const results = await scope.write(
      names.map((name) => change(name, 12.5)),
      anyLongWhile(),
    )
    expect([...results.values()].every(({ kind }) => kind === 'applied')).toBe(true)
    const readings = await scope.read(names, anyLongWhile())
    expect(new Set([...readings.values()].map((reading) => JSON.stringify(reading)))).toEqual(
      new Set(['{"kind":"weight","weightPercent":12.5}']),
    )
    await proxy.stop()
  })
})

describe('a runtime API that misbehaves', () => {
  let fake: FakeHaproxy
  beforeEach(async () => {
    fake = await startFakeHaproxy(BACKENDS)
  })
  afterEach(() => fake.stop())

  test.each([
    ['another protocol', 'HTTP/1.1 400 Bad Request', 'bad-answer'],
    ['a newer form of the state', '2\n# other columns\n', 'bad-answer'],
    ['a state without weights', '1\n# be_id be_name srv_name srv_op_state srv_admin_state\n2 a old 2 0', 'bad-answer'],
    ['a refusal', 'Permission denied', 'refused'],
    ['no words at all', '', 'bad-answer'],
  ])('%s leaves the reading missing', async (_, answer, why) => {
    fake.answerWith((command) => (command.startsWith('show') ? answer : null))
    expect((await open(fake.socketName).read(['a'], anyLongWhile())).get('a')).toMatchObject({ kind: 'missing', why })
  })

  test('a bad answer about one backend leaves the others alone', async () => {
    fake.answerWith((command) => (command === 'show servers state a' ? 'what?' : null))
    const readings = await open(fake.socketName).read(['a', 'b'], anyLongWhile())
    expect(Object.fromEntries(readings)).toMatchObject({
      a: { kind: 'missing', why: 'bad-answer' },
      b: { kind: 'weight', weightPercent: 0 },
    })
  })

  test('a connection closed in the middle is unreachable', async () => {
    fake.hangUp()
    expect((await open(fake.socketName).read(['a'], anyLongWhile())).get('a')).toMatchObject({ why: 'unreachable' })
  })

  test('a path without a socket is unreachable', async () => {
    expect((await open('/nowhere/haproxy.sock').write([change('a', 1)], anyLongWhile())).get('a')).toMatchObject({
      problem: { code: 'TRAFFIC_UNREACHABLE', cause: 'HAProxy at /nowhere/haproxy.sock cannot be reached: ENOENT' },
    })
  })

  test('when the first server of a pair is refused, the second is not touched', async () => {
    fake.answerWith((command) => (command === 'set server a/old weight 90' ? 'Server is busy.' : null))
    const results = await open(fake.socketName).write([change('a', 10), change('b', 10)], anyLongWhile())
    expect(results.get('a')).toMatchObject({ kind: 'failed', problem: { code: 'TRAFFIC_REFUSED' } })
    expect(results.get('b')).toEqual({ kind: 'applied' })
    expect(fake.commands.filter((command) => command.includes('a/new'))).toEqual([])
  })

  test('reverts are sent before forward steps', async () => {
    setServers(fake, 'c', 50, 50)
    await open(fake.socketName).write([change('a', 10), { ...change('c', 0), urgency: 'revert' }], anyLongWhile())
    const sets = fake.commands.filter((command) => command.startsWith('set'))
    expect(sets.map((command) => command.split(' ')[2])).toEqual(['c/new', 'c/old', 'a/old', 'a/new'])
  })

  test('a weight that is there already is not written again', async () => {
    setServers(fake, 'a', 90, 10)
    await open(fake.socketName).write([change('a', 10)], anyLongWhile())
    expect(fake.commands.filter((command) => command.startsWith('set'))).toEqual([])
  })
})

describe('two server weights for one share', () => {
  const steps = Array.from({ length: 1001 }, (_, index) => index / 10)

  test('every step of 0.1 % reads back exactly, save six next to the ends', () => {
    const lost = steps.filter((percent) => {
      const weights = serverWeights(percent)
      return weights === null || sharePercent(weights) !== percent
    })
    expect(lost).toEqual(INEXPRESSIBLE)
  })

  test('whole percentages are written as themselves', () => {
    for (const percent of steps.filter(Number.isInteger))
      expect(serverWeights(percent)).toEqual({ old: 100 - percent, new: percent })
  })

  test.each([
    [0.5, { old: 199, new: 1 }],
    [12.5, { old: 91, new: 13 }],
    [99.6, { old: 1, new: 249 }],
  ])('%d %% takes the smallest exact sum from 100 on', (percent, weights) => {
    expect(serverWeights(percent)).toEqual(weights)
  })

  test.each([
    [0.1, [0, 0.4]],
    [0.3, [0, 0.4]],
    [99.8, [99.6, 100]],
    [50, [50]],
  ])('the weights nearest to %d %% are told', (percent, nearest) => {
    expect(nearestWeights(percent)).toEqual(nearest)
  })

  const weightNow = fc.record({ old: fc.integer({ min: 0, max: 256 }), new: fc.integer({ min: 0, max: 256 }) })
  const wanted = fc.integer({ min: 0, max: 1000 }).map((permille) => serverWeights(permille / 10))

  test('half a write never sends more to NEW than before or than asked, and never is 0 to 0', () => {
    fc.assert(
      fc.property(weightNow, wanted, (now, next) => {
        fc.pre(next !== null && now.old + now.new > 0)
        if (next === null) return
        const half = firstToSet(now, next) === 'old' ? { ...now, old: next.old } : { ...now, new: next.new }
        const share = ({ old, new: new_ }: typeof now) => new_ / (old + new_)
        expect(half.old + half.new).toBeGreaterThan(0)
        expect(share(half)).toBeLessThanOrEqual(Math.max(share(now), share(next)))
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('the settings of haproxy', () => {
  const good = { socket: '/run/haproxy.sock', backend: 'app', old: 'blue', new: 'green' }

  test.each([
    ['a socket over TCP', { socket: 'tcp://10.0.0.5:9999' }, true],
    ['a relative path', { socket: 'haproxy.sock' }, false],
    ['a URL of another kind', { socket: 'http://10.0.0.5:9999' }, false],
    ['a port beyond the last', { socket: 'tcp://10.0.0.5:99999' }, false],
    ['a name that would end the command', { backend: 'app; shutdown sessions' }, false],
    ['a name with a line break', { old: 'blue\nset' }, false],
    ['a name with a slash', { new: 'app/green' }, false],
    ['one server for both sides', { new: 'blue' }, false],
    ['a key that it does not know', { scale: 100 }, false],
  ])('%s', (_, part, isGood) => {
    expect(haproxy.settings.safeParse({ ...good, ...part }).success).toBe(isGood)
  })
})
