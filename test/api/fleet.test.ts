import { describe, expect, test } from 'vitest'
import type { FleetView } from '../../src/core/fleet-view.ts'
import type { WorkloadView } from '../../src/ports/control.ts'
import { fakeView } from '../fakes/service.ts'
import { OPERATOR_TOKEN, testApi, VIEWER_TOKEN } from '../support/api.ts'
import { fakeFleet } from '../support/fleet-view.ts'

const viewer = { authorization: `Bearer ${VIEWER_TOKEN}` }
const operator = { authorization: `Bearer ${OPERATOR_TOKEN}` }
const OTHER = fakeFleet({ migration: 'eks-1-34' })

/** A workload under way, of this migration. */
function of(migration: string, name: string): WorkloadView {
  const view = fakeView(name)
  return { ...view, plan: { ...view.plan, migration } }
}

async function apiOf(fleets: readonly FleetView[]) {
  const api = await testApi()
  api.service.workloads = [of('eks-1-33', 'catalog'), of('eks-1-33', 'checkout'), of('eks-1-34', 'search')]
  api.service.fleets = fleets
  return api
}

test('a migration as a whole has its waves with counts, its breaker and its signals', async () => {
  const verdict = {
    gate: 'signal/nodeReadiness',
    outcome: 'halt',
    evidence: { newValue: 98 },
    sentence: 'bad',
  } as const
  const fleet = fakeFleet({ signals: [verdict] })
  const { app } = await apiOf([fleet])
  const response = await app.inject({ url: '/api/v1/fleet', headers: viewer })
  expect(response.json()).toEqual({ migrations: [fleet] })
})

describe('a command to some workloads', () => {
  const send = async (selection: object, fleets: readonly FleetView[] = [fakeFleet()]) => {
    const api = await apiOf(fleets)
    const body = { command: 'revert', reason: 'x', ...selection }
    const response = await api.app.inject({ method: 'POST', url: '/api/v1/commands', headers: operator, body })
    return { response, submitted: api.service.submitted.map(({ workload }) => workload) }
  }

  test.each<[string, object, readonly string[]]>([
    ['to nobody in particular, all', {}, ['catalog', 'checkout', 'search']],
    ['to a wave, those of the wave', { wave: 'rest' }, ['checkout']],
    ['to a migration, those of the migration', { migration: 'eks-1-34' }, ['search']],
    ['to a wave of a migration, those of both', { wave: 'canaries', migration: 'eks-1-33' }, ['catalog']],
  ])('%s', async (_name, selection, want) => {
    const { response, submitted } = await send(selection)
    expect(response.statusCode).toBe(202)
    expect(submitted).toEqual(want)
  })

  test('a close goes to those that have ended, and to no others', async () => {
    const api = await apiOf([])
    api.service.workloads = [fakeView('catalog', { phase: { name: 'completed' } }), fakeView('checkout')]
    const body = { command: 'close', reason: 'done' }
    const response = await api.app.inject({ method: 'POST', url: '/api/v1/commands', headers: operator, body })
    expect(response.statusCode).toBe(202)
    expect(api.service.submitted.map(({ workload }) => workload)).toEqual(['catalog'])
  })

  test.each<[string, object, number, string]>([
    ['a wave that is not there', { wave: 'canarys' }, 404, 'no wave "canarys"'],
    ['a migration that is not there', { migration: 'eks' }, 404, 'no migration "eks"'],
    ['a wave of another migration', { wave: 'canaries', migration: 'eks-1-34' }, 404, 'no wave "canaries"'],
    ['nothing at all for a wave', { wave: '' }, 400, 'body/wave'],
  ])('%s is refused, and nobody is told anything', async (_name, selection, status, cause) => {
    const { response, submitted } = await send(selection)
    expect(response.statusCode).toBe(status)
    expect(response.json().cause).toContain(cause)
    expect(submitted).toEqual([])
  })

  test('a wave that several migrations have needs the migration as well', async () => {
    const { response, submitted } = await send({ wave: 'canaries' }, [fakeFleet(), OTHER])
    expect(response.json()).toMatchObject({
      code: 'API_BAD_REQUEST',
      cause: 'several migrations have a wave "canaries": eks-1-33, eks-1-34',
      hint: 'name the migration as well',
    })
    expect(submitted).toEqual([])
  })
})
