import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { powerdns } from '../../src/traffic/powerdns/kind.ts'
import { placeOf } from '../../src/traffic/powerdns/place.ts'
import { contentOf, recordOf } from '../../src/traffic/powerdns/record.ts'
import { NEW, OLD } from '../support/powerdns-scope.ts'

describe('the settings of powerdns', () => {
  test.each<[string, object, boolean]>([
    ['one address a side', {}, true],
    ['several', { old: ['192.0.2.1', '192.0.2.3'] }, true],
    ['IPv6', { old: '2001:db8::1', new: '2001:DB8::2' }, true],
    ['names', { old: 'blue.example.com.', new: 'green.example.com' }, true],
    ['the top of the zone', { record: 'example.test.' }, true],
    ['two families', { new: '2001:db8::2' }, false],
    ['an address and a name', { new: 'green.example.com' }, false],
    ['the same on both sides', { new: OLD }, false],
    ['the same in two spellings', { old: '2001:db8::1', new: '2001:db8:0::1' }, false],
    ['no value', { old: [] }, false],
    ['an address that is none', { old: '192.0.2.300' }, false],
    ['Lua in a value', { old: "192.0.2.1'}}) os.execute('x" }, false],
    ['a quote in a name', { old: 'a".example.com', new: 'b.example.com' }, false],
    ['an IPv6 address of one link', { old: 'fe80::1%eth0', new: 'fe80::2' }, false],
    ['a record of another zone', { record: 'a.example.org' }, false],
    ['a zone that is a part of a label', { record: 'a.notexample.test' }, false],
    ['a path in the zone', { zone: '../config' }, false],
    ['a CNAME at the top', { record: 'example.test', old: 'a.example.com', new: 'b.example.com' }, false],
    ['no TTL', { ttl: '0s' }, false],
  ])('%s', (_, part, isGood) => {
    const settings = { zone: 'example.test', record: 'a.example.test', old: OLD, new: NEW, ...part }
    expect(powerdns.settings.safeParse(settings).success).toBe(isGood)
  })

  test.each<[unknown, unknown]>([
    [undefined, [{ host: 'pdns.internal', port: 53 }]],
    [[], []],
    [['ns1.example.com'], [{ host: 'ns1.example.com', port: 53 }]],
    [
      ['192.0.2.53:5353', '[2001:db8::53]:5353', '2001:db8::53'],
      [
        { host: '192.0.2.53', port: 5353 },
        { host: '2001:db8::53', port: 5353 },
        { host: '2001:db8::53', port: 53 },
      ],
    ],
    [['ns1:0'], null],
    [['ns1:99999'], null],
    [['a b'], null],
  ])('name servers %j are %j', (nameservers, want) => {
    const account = { url: 'https://pdns.internal:8443/', apiKey: '${env:PDNS_API_KEY}', nameservers }
    const parsed = powerdns.account?.safeParse(account)
    expect(parsed?.success ? parsed.data.nameservers : null).toEqual(want)
  })

  test('a key in the config itself is refused', () => {
    expect(powerdns.account?.safeParse({ url: 'http://127.0.0.1:1', apiKey: 'hunter2' }).success).toBe(false)
  })
})

test('every step of 0.1 % is read back as it was written, for any number of values', () => {
  const values = fc.integer({ min: 1, max: 16 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), values, values, (permille, olds, news) => {
      const addresses = (net: number, count: number) =>
        Array.from({ length: count }, (_, index) => `10.0.${net}.${index}`)
      const settings = powerdns.settings.parse({
        zone: 'example.test',
        record: 'a.example.test',
        old: addresses(0, olds),
        new: addresses(1, news),
      })
      const content = contentOf(recordOf(settings, permille / 10))
      const rrset = { name: 'a.example.test', type: 'LUA', ttl: 60, records: [{ content }] }
      expect(placeOf(settings, [rrset])).toMatchObject({ weightPercent: permille / 10 })
    }),
  )
})
