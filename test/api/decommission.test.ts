import { describe, expect, test } from 'vitest'
import type { DecommissionJson } from '../../src/api/wire-decommission.ts'
import { fakeResiduals } from '../fakes/residuals.ts'
import { createFakeService, fakeView } from '../fakes/service.ts'
import { listeningApi, testApi, VIEWER_TOKEN } from '../support/api.ts'
import { runHere } from '../support/cli.ts'

const asViewer = { authorization: `Bearer ${VIEWER_TOKEN}` }
const drain = { quietMs: 3_600_000, untilMs: 1, requests: 0, lastRequestAtMs: null }

function drainedView(workload: string) {
  const view = fakeView(workload)
  return { ...view, state: { ...view.state, phase: { name: 'completed' } as const, drain } }
}

const service = () => createFakeService([drainedView('catalog'), drainedView('checkout')])
const someCame = {
  catalog: { requests: 0 },
  checkout: { requests: 7, by: [{ label: 'client', values: [{ value: 'batch-\u001b[31mjob', requests: 7 }] }] },
}

describe('GET /api/v1/decommission', () => {
  test('all may go only when each may', async () => {
    const { app } = await testApi({ service: service(), residuals: fakeResiduals(someCame) })
    const answer = await app.inject({ url: '/api/v1/decommission', headers: asViewer })
    const { mayGo, workloads } = answer.json<DecommissionJson>()
    expect(mayGo).toBe(false)
    expect(workloads.map((one) => [one.workload, one.mayGo])).toEqual([
      ['catalog', true],
      ['checkout', false],
    ])
    const one = await app.inject({ url: '/api/v1/decommission?workload=catalog', headers: asViewer })
    expect(one.json<DecommissionJson>()).toMatchObject({ mayGo: true, workloads: [{ workload: 'catalog' }] })
  })

  test('an unknown workload is no yes', async () => {
    const { app } = await testApi({ service: service(), residuals: fakeResiduals(someCame) })
    const answer = await app.inject({ url: '/api/v1/decommission?workload=chekout', headers: asViewer })
    expect(answer.json()).toMatchObject({ code: 'API_NOT_FOUND' })
  })
})

describe('headgate decommission', () => {
  const env = (url: string) => ({ env: { HEADGATE_URL: url, HEADGATE_TOKEN: VIEWER_TOKEN } })

  test('says no with exit code 1, and whose the requests were', async () => {
    const { url } = await listeningApi({ service: service(), residuals: fakeResiduals(someCame) })
    const { code, out } = await runHere(['decommission'], env(url))
    expect(code).toBe(1)
    expect(out).toBe(
      [
        'no: OLD may not go (1 of 2 workloads may)',
        '✓ catalog: old was quiet for 1 h, and now has 0 requests in the last 1 h',
        '✗ checkout: 7 requests came to old in the last 1 h, 0 allowed',
        '    by client: batch-job 7',
        '',
      ].join('\n'),
    )
  })

  test('says yes with exit code 0', async () => {
    const { url } = await listeningApi({ service: service(), residuals: fakeResiduals(someCame) })
    const { code, out } = await runHere(['decommission', 'catalog'], env(url))
    expect([code, out.split('\n')[0]]).toEqual([0, 'yes: OLD may go'])
  })
})
