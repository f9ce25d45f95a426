import { beforeEach, describe, expect, test } from 'vitest'
import type { Plan } from '../../src/core/plan.ts'
import { Scopes } from '../../src/engine/scopes.ts'
import type { TrafficKind } from '../../src/ports/traffic.ts'
import { createFakeMeter, settled } from '../../src/simulate/runtime.ts'
import { createFakeTraffic, type FakeSettings } from '../fakes/traffic.ts'
import { planOf } from '../scenarios/world.ts'
import { adapterContext } from '../support/adapter-context.ts'

/** What happened to adapters, in order: `open a,b` with the targets' ids, `close a,b`. */
let told: string[]
let refusesToOpen: boolean
let scopes: Scopes

beforeEach(() => {
  told = []
  refusesToOpen = false
  const { kind } = createFakeTraffic()
  const noted: TrafficKind<FakeSettings> = {
    ...kind,
    open(targets, account, context) {
      if (refusesToOpen) throw new Error('a bug in the adapter')
      const ids = targets.map(({ id }) => id).join()
      told.push(`open ${ids}`)
      const scope = kind.open(targets, account, context)
      return {
        ...scope,
        read: (targetIds, signal) => scope.read(targetIds, signal),
        write: (changes, signal) => scope.write(changes, signal),
        close: async () => {
          told.push(`close ${ids}`)
          await scope.close()
        },
      }
    },
  }
  scopes = new Scopes([noted], adapterContext(), { meter: createFakeMeter(), timer: () => () => 0, accounts: {} })
})

/** A plan with one target of this place in this scope. */
function planIn(scope: string, place: string): Plan {
  const settings = { scope, place, settleSeconds: 0 }
  return {
    ...planOf({}),
    workload: place,
    targets: [
      { id: place, role: 'split', kind: 'fake', scope, settings, propagationSeconds: 0, movingTtlSeconds: null },
    ],
  }
}

describe('the scopes in use', () => {
  test('are opened once, with all their targets, however often they are asked for', () => {
    const plans = [planIn('zone', 'a'), planIn('zone', 'b'), planIn('other', 'c')]
    scopes.use(plans)
    scopes.use(plans)
    scopes.use([...plans])
    scopes.use(plans.map((plan) => ({ ...plan })))
    expect(told).toEqual(['open a,b', 'open c'])
    expect(scopes.namesOf(plans)).toEqual(['zone', 'other'])
  })

  test('are opened anew with other targets, and closed without any; the others stay', async () => {
    const [a, b, c] = [planIn('zone', 'a'), planIn('zone', 'b'), planIn('other', 'c')]
    scopes.use([a, c])
    scopes.use([a, b, c])
    scopes.use([a, b])
    await settled()
    expect(told.toSorted()).toEqual(['close a', 'close c', 'open a', 'open a,b', 'open c'])
    expect(['a', 'b', 'c'].map((id) => scopes.scopeOf(id))).toEqual(['zone', 'zone', null])
  })

  test('that could not be opened are opened when they are asked for again', () => {
    const plans = [planIn('zone', 'a')]
    refusesToOpen = true
    expect(() => scopes.use(plans)).toThrow('a bug in the adapter')
    refusesToOpen = false
    scopes.use(plans)
    expect(told).toEqual(['open a'])
  })

  test('are opened again after they were closed', async () => {
    const plans = [planIn('zone', 'a')]
    scopes.use(plans)
    await scopes.close()
    scopes.use(plans)
    expect(told).toEqual(['open a', 'close a', 'open a'])
  })
})
