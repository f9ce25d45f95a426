import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { gatewayRoute } from '../../src/traffic/gateway-api/route.ts'
import { gatewayApiSettings } from '../../src/traffic/gateway-api/settings.ts'
import { virtualService } from '../../src/traffic/istio/route.ts'
import { istioSettings } from '../../src/traffic/istio/settings.ts'
import { exactWeights, patchOf, type Split } from '../../src/traffic/kubernetes/split.ts'
import { sharePercent } from '../../src/traffic/ratio.ts'
import { applyJsonPatch, type Json } from '../fakes/kubernetes/json-patch.ts'

const METADATA = { resourceVersion: '7', generation: 3 }
const weight = fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: undefined })
const percent = fc.integer({ min: 0, max: 1000 }).map((permille) => permille / 10)
const extra = fc.record({ filters: fc.array(fc.record({ type: fc.constantFrom('URLRewrite', 'RequestMirror') })) })

/** A list of backends: the two, in some order, among others that get nothing, each with fields that nobody here knows. */
function backends(entryOf: (name: string) => object): fc.Arbitrary<object[]> {
  const one = (name: string, of: fc.Arbitrary<number | undefined>) =>
    fc.tuple(of, extra).map(([its, more]) => ({ ...more, ...entryOf(name), ...(its !== undefined && { weight: its }) }))
  return fc
    .tuple(one('blue', weight), one('green', weight), fc.array(one('red', fc.constant(0)), { maxLength: 3 }))
    .chain(([blue, green, others]) =>
      fc.shuffledSubarray([blue, green, ...others], { minLength: 2 + others.length, maxLength: 2 + others.length }),
    )
}

const KINDS: [string, fc.Arbitrary<Json>, (object: Json) => Split | Problem][] = [
  [
    'a route of the Gateway API',
    fc
      .array(
        backends((name) => ({ name, port: 80 })),
        { minLength: 1, maxLength: 3 },
      )
      .map((rules) => ({
        metadata: METADATA,
        spec: {
          hostnames: ['a.test'],
          rules: rules.map((backendRefs) => ({ backendRefs, timeouts: { request: '1s' } })),
        },
      }))
      .map(plain),
    (object) => {
      const settings = { namespace: 'shop', route: 'checkout', rule: 0, old: 'blue', new: 'green' }
      return gatewayRoute.splitIn(gatewayRoute.schema.parse(object), gatewayApiSettings.parse(settings))
    },
  ],
  [
    'a VirtualService',
    fc
      .array(
        backends((host) => ({ destination: { host } })),
        { minLength: 1, maxLength: 3 },
      )
      .map((http) => ({
        metadata: METADATA,
        spec: { http: http.map((route) => ({ route, retries: { attempts: 2 } })) },
      }))
      .map(plain),
    (object) => {
      const settings = { namespace: 'shop', virtualService: 'checkout', route: 0, old: 'blue', new: 'green' }
      return virtualService.splitIn(virtualService.schema.parse(object), istioSettings.parse(settings))
    },
  ],
]

describe.each(KINDS)('a patch of %s', (_, objects, splitOf) => {
  test('gives the two their weights exactly, and touches nothing else', () => {
    fc.assert(
      fc.property(objects, percent, (object, wanted) => {
        const split = known(splitOf(object))
        const patch = patchOf(split, exactWeights(wanted))
        const after = applyJsonPatch(object, plain(patch) as { [key: string]: Json }[])
        const { old, new: fresh } = known(splitOf(after)).sides
        expect(sharePercent({ old: old.weight, new: fresh.weight })).toBe(wanted)
        const paths = [split.sides.old.index, split.sides.new.index].map((at) => `${split.pointer}/${at}/weight`)
        expect(patch.every(({ path }) => paths.includes(path))).toBe(true)
        expect(patchOf(known(splitOf(after)), exactWeights(wanted))).toEqual([])
      }),
    )
  })
})

test('every step of 0.1 % is exact, never both 0, and OLD is 0 at 100 % alone', () => {
  for (let permille = 0; permille <= 1000; permille++) {
    const { old, new: fresh } = exactWeights(permille / 10)
    expect(fresh / (old + fresh)).toBeCloseTo(permille / 1000, 12)
    expect([old === 0, fresh === 0]).toEqual([permille === 1000, permille === 0])
  }
})

function known(split: Split | Problem): Split {
  if (split instanceof Problem) throw split
  return split
}

/** As it goes over the wire: what is undefined is not there. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value))
}
