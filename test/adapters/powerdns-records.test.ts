import { describe, expect, test } from 'vitest'
import { change, NEW, OLD, recordOf } from '../support/powerdns-scope.ts'
import { luaContent, putRrsets, rrsetsAt } from '../support/powerdns-user.ts'
import { lua, useFakeZone } from '../support/powerdns-zone.ts'

const zone = useFakeZone()
const APPLIED = { kind: 'applied' }

describe('a plain record set', () => {
  test('becomes a LUA record with the first write, in the same call, with its TTL', async () => {
    const before = zone.fake.patches.length
    expect(await zone.write([change('a', 10)])).toEqual({ a: APPLIED })
    expect(zone.fake.patches).toHaveLength(before + 1)
    expect(await rrsetsAt(zone.fake, recordOf('a'))).toEqual({
      LUA: expect.objectContaining({ ttl: 300, records: [{ content: lua([90, OLD], [10, NEW]), disabled: false }] }),
    })
  })

  test('of a CNAME does too', async () => {
    const names = { old: 'Blue.example.test.', new: 'green.example.test' }
    const named = zone.open(['c'], names)
    await zone.put('c', 'CNAME', 'blue.example.test.')
    expect(await zone.read('c', named)).toMatchObject({ weightPercent: 0 })
    expect(await zone.write([change('c', 25)], named)).toEqual({ c: APPLIED })
    expect(await rrsetsAt(zone.fake, recordOf('c'))).toMatchObject({
      LUA: {
        records: [
          {
            content: luaContent('CNAME', [
              [75, 'blue.example.test.'],
              [25, 'green.example.test.'],
            ]),
          },
        ],
      },
    })
    expect(await zone.read('c', named)).toEqual({ kind: 'weight', weightPercent: 25, ttlSeconds: 300 })
  })

  test('is left alone by a write of the weight that it has', async () => {
    const before = zone.fake.patches.length
    expect(await zone.write([change('a', 0)])).toEqual({ a: APPLIED })
    expect(zone.fake.patches).toHaveLength(before)
  })

  test('of NEW alone reads as 100 %', async () => {
    await zone.put('a', 'A', NEW)
    expect(await zone.read('a')).toEqual({ kind: 'weight', weightPercent: 100, ttlSeconds: 300 })
  })

  test('stays where nobody evaluates Lua, and the write says what to set', async () => {
    zone.fake.evaluateLua('never')
    expect(await zone.write([change('a', 10)])).toMatchObject({
      a: { kind: 'failed', problem: { code: 'TRAFFIC_REFUSED', hint: expect.stringContaining('enable-lua-records') } },
    })
    expect(await rrsetsAt(zone.fake, recordOf('a'))).toMatchObject({ A: { records: [{ content: OLD }] } })
    expect(await zone.inspect()).toEqual(['fail TRAFFIC_REFUSED'])
  })

  test('is converted where the metadata of the zone alone lets Lua be evaluated', async () => {
    zone.fake.evaluateLua('metadata')
    expect(await zone.write([change('a', 10)])).toEqual({ a: APPLIED })
  })
})

describe('what is in a record set', () => {
  test.each<[string, Readonly<Record<string, readonly string[]>>, object]>([
    ['spaces in it', { LUA: [`A   "pickwrandom( { {3, '${OLD}'}, { 1,'${NEW}'} } )"`] }, { weightPercent: 25 }],
    ['the other function', { LUA: [lua([1, OLD], [1, NEW]).replace('random', 'hashed')] }, { weightPercent: 50 }],
    ['an entry left out', { LUA: [lua([5, NEW])] }, { weightPercent: 100 }],
    ['two strings', { LUA: [`A "pickwrandom({{60,'${OLD}'}," "{40,'${NEW}'}})"`] }, { weightPercent: 40 }],
    ['next to nothing for NEW', { LUA: [lua([999_999, OLD], [1, NEW])] }, { weightPercent: 0.1 }],
    ['both at 0', { LUA: [lua([0, OLD], [0, NEW])] }, { why: 'refused', detail: expect.stringContaining('SERVFAIL') }],
    [
      'a stranger',
      { LUA: [lua([5, OLD], [5, '192.0.2.9'])] },
      { why: 'refused', detail: expect.stringContaining('192.0.2.9') },
    ],
    ['a plain stranger', { A: ['192.0.2.9'] }, { why: 'refused', detail: expect.stringContaining('192.0.2.9') }],
    ['plain ones of both', { A: [OLD, NEW] }, { why: 'refused', detail: expect.stringContaining('both clusters') }],
    [
      'other Lua',
      { LUA: ['A "ifportup(443, {\'192.0.2.1\'})"'] },
      { why: 'refused', detail: expect.stringContaining('ifportup') },
    ],
    ['half of it', { LUA: [`A "pickwrandom({{1,'${OLD}'}"`] }, { why: 'refused' }],
    ['code after it', { LUA: [lua([1, OLD]).replace('})"', '}) or 1"')] }, { why: 'refused' }],
    ['code within it', { LUA: [`A "pickwrandom({{1,'${OLD}'},os.exit()})"`] }, { why: 'refused' }],
    [
      'two LUA records',
      { LUA: [lua([1, OLD]), lua([1, NEW])] },
      { why: 'refused', detail: expect.stringContaining('2 LUA') },
    ],
    [
      'plain and LUA',
      { A: [OLD], LUA: [lua([1, OLD])] },
      { why: 'refused', detail: expect.stringContaining('beside') },
    ],
    ['a CNAME', { CNAME: ['x.example.test.'] }, { why: 'refused', detail: expect.stringContaining('CNAME') }],
    ['LUA for another type', { LUA: ['AAAA "pickwrandom({{1,\'2001:db8::1\'}})"'] }, { why: 'empty' }],
    ['nothing', {}, { why: 'empty' }],
  ])('%s: it is read strictly', async (_, sets, want) => {
    await zone.put('a', 'A')
    for (const [type, contents] of Object.entries(sets)) await zone.put('a', type, ...contents)
    expect(await zone.read('a')).toMatchObject(want)
  })

  test('a record of another form is not written over', async () => {
    const before = zone.fake.patches.length
    await putRrsets(zone.fake, [{ name: recordOf('a'), type: 'A', contents: [] }])
    await zone.put('a', 'LUA', 'A "ifportup(443, {})"')
    expect(await zone.write([change('a', 0, { urgency: 'revert' })])).toMatchObject({
      a: { problem: { code: 'TRAFFIC_WRONG_TYPE' } },
    })
    expect(zone.fake.patches).toHaveLength(before + 2)
  })

  test('weights of 0 and 0 are written over', async () => {
    await zone.put('a', 'A')
    await zone.put('a', 'LUA', lua([0, OLD], [0, NEW]))
    expect(await zone.write([change('a', 0, { urgency: 'revert' })])).toEqual({ a: APPLIED })
    expect(await zone.read('a')).toMatchObject({ weightPercent: 0 })
  })
})

describe('several values', () => {
  const values = { old: ['192.0.2.1', '192.0.2.3'], new: ['192.0.2.2', '192.0.2.4', '192.0.2.6'] }

  test('share the weight of their side evenly, in whole numbers', async () => {
    const many = zone.open(['a'], values)
    await zone.write([change('a', 0.1)], many)
    const { LUA } = await rrsetsAt(zone.fake, recordOf('a'))
    const want = [
      ...values.old.map((value) => [999 * 3, value] as const),
      ...values.new.map((value) => [2, value] as const),
    ]
    expect(LUA?.records).toEqual([{ content: lua(...want), disabled: false }])
    expect(await zone.read('a', many)).toMatchObject({ weightPercent: 0.1 })
  })

  test('that one string cannot hold are put into several, none above 255 bytes', async () => {
    const addresses = (from: number) => Array.from({ length: 16 }, (_, index) => `2001:db8::${from}:${index + 1}`)
    const many = zone.open(['a'], { old: addresses(1), new: addresses(2) })
    await zone.put('a', 'A')
    await zone.put('a', 'AAAA', ...addresses(1))
    expect(await zone.write([change('a', 12.5)], many)).toEqual({ a: APPLIED })
    const content = (await rrsetsAt(zone.fake, recordOf('a'))).LUA?.records[0]?.content ?? ''
    const strings = [...content.matchAll(/"([^"]*)"/g)].map(([, text = '']) => text.length)
    expect(strings.length).toBeGreaterThan(1)
    expect(Math.max(...strings)).toBeLessThanOrEqual(255)
    expect(await zone.read('a', many)).toEqual({ kind: 'weight', weightPercent: 12.5, ttlSeconds: 300 })
  })

  test('A and AAAA of one name are two places in one record set', async () => {
    const v6 = zone.open(['a'], { old: '2001:DB8::1', new: '2001:db8::2' })
    await zone.put('a', 'AAAA', '2001:db8::1')
    await zone.write([change('a', 10)])
    expect(await zone.write([change('a', 20, { ttlSeconds: 60 })], v6)).toEqual({ a: APPLIED })
    expect((await rrsetsAt(zone.fake, recordOf('a'))).LUA).toMatchObject({
      ttl: 60,
      records: [
        { content: lua([90, OLD], [10, NEW]) },
        {
          content: luaContent('AAAA', [
            [80, '2001:db8::1'],
            [20, '2001:db8::2'],
          ]),
        },
      ],
    })
    expect(await zone.read('a')).toMatchObject({ weightPercent: 10, ttlSeconds: 60 })
    expect(await zone.read('a', v6)).toMatchObject({ weightPercent: 20, ttlSeconds: 60 })
  })
})

describe('TTLs', () => {
  test('stay as they are where none is asked for, and follow where one is', async () => {
    await zone.write([change('a', 10)])
    expect(await zone.read('a')).toMatchObject({ ttlSeconds: 300 })
    await zone.write([change('a', 10, { ttlSeconds: 60 })])
    expect(await zone.read('a')).toMatchObject({ weightPercent: 10, ttlSeconds: 60 })
  })
})
