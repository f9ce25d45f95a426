import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isGuarded, parseRange } from '../../src/shared/guard.ts'

const byte = fc.integer({ min: 0, max: 255 })

describe('an address that nobody is asked at', () => {
  test.each([
    '169.254.169.254',
    '169.254.0.1',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fd00:ec2::254',
    'fd20:ce::254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::169.254.169.254',
  ])('%s', (address) => {
    expect(isGuarded(address)).toBe(true)
  })

  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '192.168.1.1',
    '169.253.255.255',
    '169.255.0.0',
    '8.8.8.8',
    '::1',
    'fec0::1',
    'fd00::1',
    '2001:db8::1',
    '64:ff9b::8.8.8.8',
  ])('is not %s', (address) => {
    expect(isGuarded(address)).toBe(false)
  })

  test('is any of the link-local ones, however it is written in a URL', () => {
    fc.assert(
      fc.property(byte, byte, fc.constantFrom('dotted', 'number', 'hex', 'octal', 'mapped'), (c, d, form) => {
        const number = ((169 * 256 + 254) * 256 + c) * 256 + d
        const written = {
          dotted: `169.254.${c}.${d}`,
          number: String(number),
          hex: `0x${number.toString(16)}`,
          octal: `0251.0376.${c}.${d}`,
          mapped: `[::ffff:169.254.${c}.${d}]`,
        }[form]
        const { hostname } = new URL(`http://${written}/`)
        expect(isGuarded(hostname.replace(/^\[|\]$/g, ''))).toBe(true)
      }),
    )
  })

  test('is one again outside of what is allowed', () => {
    const allow = ['169.254.10.0/24', 'fe80::1']
    expect(
      ['169.254.10.7', '::ffff:169.254.10.7', 'fe80::1', '169.254.11.7', 'fe80::2'].map((one) => isGuarded(one, allow)),
    ).toEqual([false, false, false, true, true])
  })
})

test.each([
  ['169.254.10.1', { address: '169.254.10.1', prefix: 32, family: 'ipv4' }],
  ['169.254.10.0/24', { address: '169.254.10.0', prefix: 24, family: 'ipv4' }],
  ['fe80::/10', { address: 'fe80::', prefix: 10, family: 'ipv6' }],
  ['metadata', null],
  ['169.254.10.0/33', null],
  ['169.254.10.0/-1', null],
  ['169.254.10.0/24/1', null],
  ['fe80::1%eth0', null],
  ['', null],
])('the range "%s"', (text, want) => {
  expect(parseRange(text)).toEqual(want)
})
