import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHasher, hashText } from '../../src/policy/hash.ts'
import { createShare } from '../../src/shared/share.ts'

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

test('what is equal is one object, and what is not is another', () => {
  const share = createShare()
  expect(share({ a: [1] })).toBe(share({ a: [1] }))
  expect(share({ a: [1] })).not.toBe(share({ a: [2] }))
})
