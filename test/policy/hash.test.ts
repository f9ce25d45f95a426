import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { channelKinds } from '../../src/notify/registry.ts'
import { createHasher, hashText } from '../../src/policy/hash.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { createShare } from '../../src/shared/share.ts'
import { sourceKinds } from '../../src/sources/registry.ts'
import { trafficKinds } from '../../src/traffic/registry.ts'

const kinds = { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }

/** As pinned plans were always hashed: the text of the whole, with all keys in order. */
function hashOf(data: unknown): string {
  const sorted = (_key: string, value: unknown) =>
    typeof value !== 'object' || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  return hashText(JSON.stringify(data, sorted))
}

const plain = fc.dictionary(fc.string(), fc.jsonValue())

test('parts that are shared, and hashed once, change no hash', () => {
  fc.assert(
    fc.property(fc.array(plain, { maxLength: 4 }), plain, (several, common) => {
      const [share, hash] = [createShare(), createHasher()]
      for (const one of several) {
        const whole = { ...one, 10: 'ten', 9: undefined, common: share(structuredClone(common)) }
        expect(hash(whole)).toBe(hashOf(whole))
      }
    }),
  )
})

// Whoever changes these on purpose (a plan says something new) has every rollout that waits begin with another plan.
test('the plans of the examples have the hashes that they had', () => {
  const anyEnv = new Proxy({}, { get: () => 'a-value' })
  const hashes = ['minimal', 'full'].map((name) => {
    const result = parseConfig(readFileSync(`examples/${name}.yaml`, 'utf8'), name, kinds, anyEnv)
    return result.ok ? result.config.migrations[0].plans.map(({ hash }) => hash) : result.problems
  })
  expect(hashes).toEqual([['ac9f9afad42a654b'], ['67f1f20e22df3d68', 'ee8655b7cb4c9487', '0e1c97dd3dffbdcf']])
})

test('what is equal is one object, and what is not is another', () => {
  const share = createShare()
  expect(share({ a: [1] })).toBe(share({ a: [1] }))
  expect(share({ a: [1] })).not.toBe(share({ a: [2] }))
})
