import { describe, expect, test } from 'vitest'
import { externalDnsOwner, ownershipNames } from '../../src/traffic/external-dns.ts'

describe('what external-dns leaves in a TXT record', () => {
  test.each([
    [
      '"heritage=external-dns,external-dns/owner=prod,external-dns/resource=ingress/shop/checkout"',
      { id: 'prod', resource: 'ingress/shop/checkout' },
    ],
    ['heritage=external-dns,external-dns/owner=prod', { id: 'prod', resource: '' }],
    ['heritage=external-dns', { id: 'not named', resource: '' }],
    ['"heritage=somebody-else,external-dns/owner=prod"', null],
    ['"v=spf1 include:heritage=external-dns -all"', null],
    ['', null],
  ])('%s', (value, owner) => expect(externalDnsOwner(value)).toEqual(owner))
})

test('it is looked for at the name itself, and with each type before it', () => {
  expect(ownershipNames('a.example.com', ['A', 'CNAME'])).toEqual([
    'a.example.com',
    'a-a.example.com',
    'cname-a.example.com',
  ])
})
