import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isMarkedRule,
  markedRulePatch,
  mirrorPatch,
  type RouteFilter,
  type RouteRule,
} from '../../src/traffic/gateway-api/shape.ts'
import type { JsonPatch } from '../../src/traffic/kubernetes/patch.ts'
import { applyJsonPatch, type Json } from '../fakes/kubernetes/json-patch.ts'

const GREEN = { group: '', kind: 'Service', name: 'green', port: 8080 }
const RED = { group: '', kind: 'Service', name: 'red', port: 8080 }
const MARK = { header: 'x-headgate', value: 'new' }
const OTHER_FILTER = { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value: 'b' }] } }

/** The rules after a patch, as the API server would have them. */
function patched(rules: readonly RouteRule[], patch: JsonPatch): readonly RouteRule[] {
  const document: Json = JSON.parse(JSON.stringify({ spec: { rules } }))
  const operations: { [key: string]: Json }[] = JSON.parse(JSON.stringify(patch))
  const result = applyJsonPatch(document, operations) as unknown as { spec: { rules: RouteRule[] } }
  return result.spec.rules
}

const mirrorOf = (backendRef: Readonly<Record<string, unknown>>, share: object = {}): RouteFilter => ({
  type: 'RequestMirror',
  requestMirror: { backendRef, ...share },
})

describe('a mirror', () => {
  const mirror = (rules: readonly RouteRule[], share: number | null) => mirrorPatch(rules, 0, GREEN, share)

  test.each<[string, RouteRule, number | null, unknown]>([
    ['is added', {}, 10, [mirrorOf(GREEN, { percent: 10 })]],
    [
      'is added beside other filters',
      { filters: [OTHER_FILTER] },
      100,
      [OTHER_FILTER, mirrorOf(GREEN, { percent: 100 })],
    ],
    ['has tenths as a fraction', {}, 0.5, [mirrorOf(GREEN, { fraction: { numerator: 5, denominator: 1000 } })]],
    ['gets another share', { filters: [mirrorOf(GREEN, { percent: 10 })] }, 20, [mirrorOf(GREEN, { percent: 20 })]],
    ['gets a share where it had none', { filters: [mirrorOf(GREEN)] }, 100, [mirrorOf(GREEN, { percent: 100 })]],
    ['goes', { filters: [OTHER_FILTER, mirrorOf(GREEN, { percent: 10 })] }, null, [OTHER_FILTER]],
    ['to somebody else stays', { filters: [mirrorOf(RED)] }, null, [mirrorOf(RED)]],
    [
      'to somebody else stays beside ours',
      { filters: [mirrorOf(RED)] },
      5,
      [mirrorOf(RED), mirrorOf(GREEN, { percent: 5 })],
    ],
    [
      'is known without the defaults of a Service',
      { filters: [mirrorOf({ name: 'green', port: 8080 }, { percent: 5 })] },
      null,
      [],
    ],
  ])('%s', (_, rule, share, filters) => {
    expect(patched([rule], mirror([rule], share))[0]?.filters).toEqual(filters)
  })

  test('written twice changes nothing; taken away, all is as before', () => {
    const rule = fc.constantFrom<RouteRule[]>(
      { filters: [] },
      { name: 'main', filters: [OTHER_FILTER] },
      { filters: [OTHER_FILTER, mirrorOf(RED)], matches: [{ method: 'GET' }] },
    )
    fc.assert(
      fc.property(rule, fc.integer({ min: 1, max: 1000 }), (one, permille) => {
        const there = patched([one], mirror([one], permille / 10))
        expect(mirror(there, permille / 10)).toEqual([])
        expect(patched(there, mirror(there, null))).toEqual([one])
        expect(mirror([one], null)).toEqual([])
      }),
    )
  })
})

describe('a rule for marked requests', () => {
  const MAIN: RouteRule = {
    name: 'main',
    matches: [{ path: { type: 'PathPrefix', value: '/' }, headers: [{ name: 'x', value: 'y' }] }, { method: 'GET' }],
    filters: [OTHER_FILTER, mirrorOf(GREEN)],
    timeouts: { request: '5s' },
    backendRefs: [
      { ...RED, weight: 90 },
      { ...GREEN, weight: 10 },
    ],
  }

  test('takes the same requests with the mark, keeps the rest of the rule, and sends to NEW alone', () => {
    const rules = patched([MAIN], markedRulePatch([MAIN], 0, GREEN, MARK))
    const header = { type: 'Exact', name: 'x-headgate', value: 'new' }
    expect(rules).toEqual([
      {
        name: 'headgate-marked-main',
        matches: [
          { path: { type: 'PathPrefix', value: '/' }, headers: [{ name: 'x', value: 'y' }, header] },
          { method: 'GET', headers: [header] },
        ],
        filters: [OTHER_FILTER],
        timeouts: { request: '5s' },
        backendRefs: [GREEN],
      },
      MAIN,
    ])
    expect(rules.map(({ name }) => isMarkedRule(name))).toEqual([true, false])
  })

  test('of a rule without matches takes every request with the mark', () => {
    const rules = patched([{}], markedRulePatch([{}], 0, GREEN, MARK))
    expect(rules[0]).toMatchObject({ matches: [{ headers: [{ name: 'x-headgate', value: 'new' }] }] })
  })

  test.each<[string, readonly RouteRule[], number]>([
    ['a named one', [{ name: 'first' }, MAIN], 1],
    ['one without a name', [{ matches: [] }, {}], 1],
    ['one behind the marked rule of another', [{ name: 'headgate-marked-0' }, {}, {}], 2],
  ])('of %s: written twice changes nothing; taken away, all is as before', (_, rules, index) => {
    const there = patched(rules, markedRulePatch(rules, index, GREEN, MARK))
    expect(there).toHaveLength(rules.length + 1)
    expect(markedRulePatch(there, index + 1, GREEN, MARK)).toEqual([])
    expect(patched(there, markedRulePatch(there, index + 1, GREEN, null))).toEqual(rules)
    expect(markedRulePatch(rules, index, GREEN, null)).toEqual([])
  })

  test('is not written again for the defaults that the API server adds', () => {
    const there = patched([MAIN], markedRulePatch([MAIN], 0, GREEN, MARK))
    const withDefaults = there.map((rule) => ({ ...rule, backendRefs: [{ ...GREEN, weight: 1 }] }))
    expect(markedRulePatch([...withDefaults.slice(0, 1), MAIN], 1, GREEN, MARK)).toEqual([])
  })

  test('follows the rule it belongs to, and the mark', () => {
    const there = patched([MAIN], markedRulePatch([MAIN], 0, GREEN, MARK))
    const changed = [...there.slice(0, 1), { ...MAIN, matches: [{ method: 'POST' }] }]
    expect(patched(changed, markedRulePatch(changed, 1, GREEN, { ...MARK, value: 'other' }))[0]).toMatchObject({
      matches: [{ method: 'POST', headers: [{ value: 'other' }] }],
    })
  })

  test('there is none of a rule that is not there', () => {
    expect(markedRulePatch([MAIN], 1, GREEN, MARK)).toEqual([])
  })
})
