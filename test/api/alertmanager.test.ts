import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FleetView } from '../../src/core/fleet-view.ts'
import { problem } from '../../src/core/problem.ts'
import { fakeView } from '../fakes/service.ts'
import { alertmanagerConfig, notification, postedAlert } from '../support/alerts.ts'
import { testApi, WEBHOOK_TOKEN } from '../support/api.ts'

const CONFIG = alertmanagerConfig({
  receive: { resolved: 'clear' },
  routes: [
    { match: ['severity="critical"'], action: 'revert', workloadLabel: 'service' },
    { match: ['severity="page"'], action: 'halt', everything: true, cluster: 'any' },
    { match: ['severity="ticket"'], action: 'halt', wave: 'first', resolved: 'keep' },
    { match: ['severity="loud"'], action: 'revert', everything: true, cluster: 'any' },
    { match: ['severity="old"'], action: 'halt', workload: 'catalog', cluster: 'old' },
  ],
})

async function alertApi() {
  const api = await testApi()
  api.service.alertmanager = CONFIG
  api.service.fleets = [
    { migration: 'eks-1-33', waves: [{ name: 'first', workloads: ['catalog'] }] } as unknown as FleetView,
  ]
  const headers = { authorization: `Bearer ${WEBHOOK_TOKEN}`, 'content-type': 'application/json' }
  const post = (body: unknown) =>
    api.app.inject({ method: 'POST', url: '/api/v1/webhooks/alertmanager', headers, body: JSON.stringify(body) })
  return { ...api, post }
}

describe('where an alert leads', () => {
  const cases: Readonly<Record<string, { alert: object; want: readonly object[] }>> = {
    'to the workload that its label names': {
      alert: postedAlert(),
      want: [{ kind: 'alert', workload: 'checkout', action: 'revert', status: 'firing', concerns: 'new' }],
    },
    'to all workloads, whatever cluster it names': {
      alert: postedAlert({ severity: 'page', cluster: 'elsewhere' }),
      want: ['catalog', 'checkout'].map((workload) => ({ kind: 'alert', workload, action: 'halt', concerns: null })),
    },
    'to all workloads with the word that it is about OLD, which a revert heeds': {
      alert: postedAlert({ severity: 'loud', cluster: 'prod-a' }),
      want: ['catalog', 'checkout'].map((workload) => ({ kind: 'alert', workload, action: 'revert', concerns: 'old' })),
    },
    'to the workloads of a wave': {
      alert: postedAlert({ severity: 'ticket' }),
      want: [{ kind: 'alert', workload: 'catalog', action: 'halt' }],
    },
    'to a workload by its name, for an alert on OLD': {
      alert: postedAlert({ severity: 'old', cluster: 'prod-a' }),
      want: [{ kind: 'alert', workload: 'catalog' }],
    },
    'nowhere, when no route fits': {
      alert: postedAlert({ severity: 'info' }),
      want: [{ kind: 'unmatched-alert', reason: 'no route matches it', labels: { severity: 'info' } }],
    },
    'nowhere, when it concerns OLD': {
      alert: postedAlert({ cluster: 'prod-a' }),
      want: [{ kind: 'unmatched-alert', reason: 'route 1 matches, but it concerns prod-a, not new' }],
    },
    'nowhere, when it does not say which cluster': {
      alert: postedAlert({}, { labels: { severity: 'critical', service: 'checkout' } }),
      want: [{ kind: 'unmatched-alert', reason: 'route 1 matches, but it has no label cluster, not new' }],
    },
    'nowhere, when no workload has that name': {
      alert: postedAlert({ service: 'unheard-of' }),
      want: [{ kind: 'unmatched-alert', reason: 'route 1 matches, but leads to no workload' }],
    },
    'to the workload again when it is over, where the route clears': {
      alert: postedAlert({}, { status: 'resolved' }),
      want: [{ kind: 'alert', workload: 'checkout', status: 'resolved' }],
    },
    'nowhere when it is over, where the route keeps': {
      alert: postedAlert({ severity: 'ticket' }, { status: 'resolved' }),
      want: [],
    },
    'nowhere when it is over and never concerned anything': {
      alert: postedAlert({ severity: 'info' }, { status: 'resolved' }),
      want: [],
    },
  }
  test.each(Object.entries(cases))('%s', async (_name, { alert, want }) => {
    const { post, service } = await alertApi()
    const response = await post(notification([alert]))
    expect(response.statusCode).toBe(200)
    expect(response.json()).toMatchObject({ facts: want.length, isNew: want.length, bad: [] })
    expect(service.alertFacts).toMatchObject(want)
  })
})

describe('what counts once', () => {
  test('a repeated notification', async () => {
    const { post, service } = await alertApi()
    await post(notification([postedAlert()]))
    expect((await post(notification([postedAlert()]))).json()).toMatchObject({ facts: 1, isNew: 0 })
    expect(service.alertFacts).toHaveLength(1)
  })

  test('but not one that fires again later, nor another alert', async () => {
    const { post, service } = await alertApi()
    const later = postedAlert({}, { startsAt: '2026-11-20T22:44:00Z' })
    const other = postedAlert({}, { fingerprint: 'another' })
    await post(notification([postedAlert(), later, other]))
    expect(new Set(service.alertFacts.map(({ id }) => id)).size).toBe(3)
  })
})

describe('what is refused', () => {
  test.each([
    ['another version', notification([], { version: '3' }), 'body/version'],
    ['no alerts', { version: '4' }, 'body/alerts'],
    ['no object', [], 'body'],
    ['no alert that can be read', notification([postedAlert({}, { startsAt: 'today' })]), 'body/alerts/0/startsAt'],
    [
      'a label that is too long to match',
      notification([postedAlert({ service: 'x'.repeat(5000) })]),
      'body/alerts/0/labels/service',
    ],
    ['a label that is no text', notification([postedAlert({}, { labels: { a: 1 } })]), 'body/alerts/0/labels/a'],
  ])('%s, with a pointer to it', async (_name, body, pointer) => {
    const { post, service } = await alertApi()
    const response = await post(body)
    expect(response.statusCode).toBe(400)
    expect(response.json()).toMatchObject({ code: 'API_BAD_REQUEST', cause: expect.stringContaining(`${pointer}: `) })
    expect(service.alertFacts).toEqual([])
  })

  test('of several alerts only the bad one, which is journaled as it is', async () => {
    const { post, service } = await alertApi()
    const bad = postedAlert({}, { fingerprint: '' })
    const response = await post(notification([bad, postedAlert()]))
    expect(response.statusCode).toBe(200)
    expect(response.json()).toMatchObject({ facts: 2, bad: [{ pointer: 'body/alerts/0/fingerprint' }] })
    expect(service.alertFacts.map(({ kind }) => kind)).toEqual(['unmatched-alert', 'alert'])
  })

  test('all of it while the store is away, so that Alertmanager sends it again', async () => {
    const { post, service } = await alertApi()
    service.failing = problem('STORE_BUSY', 'locked')
    const response = await post(notification([postedAlert()]))
    expect(response.statusCode).toBe(503)
    expect(response.headers['retry-after']).toBe('1')
    service.failing = null
    expect((await post(notification([postedAlert()]))).json()).toMatchObject({ isNew: 1 })
  })

  test('all of it until the rollouts are loaded: nothing would be found to concern', async () => {
    const { post, service } = await alertApi()
    service.workloads = []
    expect((await post(notification([postedAlert()]))).statusCode).toBe(503)
    expect(service.alertFacts).toEqual([])
    service.workloads = [fakeView('checkout')]
    expect((await post(notification([postedAlert()]))).statusCode).toBe(200)
  })

  test('all of it without alertmanager in the config, saying what to write', async () => {
    const { post, service } = await alertApi()
    service.alertmanager = null
    const response = await post(notification([postedAlert()]))
    expect(response.statusCode).toBe(404)
    expect(response.json().hint).toContain('alertmanager.routes')
  })
})

test('a notification that was cut short is warned of, and journaled once', async () => {
  const { post, service, logged } = await alertApi()
  const cut = notification([postedAlert()], { truncatedAlerts: 7 })
  expect((await post(cut)).json()).toMatchObject({ facts: 2, isNew: 2, unmatched: 1 })
  expect((await post(cut)).json()).toMatchObject({ isNew: 0 })
  expect(logged.find((line) => line.includes('max_alerts'))).toContain('"truncated":7')
  expect(service.alertFacts[1]).toMatchObject({
    kind: 'unmatched-alert',
    alert: { sentence: 'left out by max_alerts (7 of them)' },
  })
})

test('of a storm each workload is told enough to hold, and of all that revert', async () => {
  const { post, service } = await alertApi()
  const storm = Array.from({ length: 300 }, (_, n) => postedAlert({ severity: 'page' }, { fingerprint: `page-${n}` }))
  const response = await post(notification([...storm, postedAlert()]))
  expect(response.json()).toMatchObject({ facts: 101, beyond: 500, bad: [] })
  const told = Map.groupBy(service.alertFacts, ({ workload }) => workload)
  expect(told.get('catalog')).toHaveLength(50)
  expect(told.get('checkout')?.at(-1)).toMatchObject({ action: 'revert' })
})

test('whatever is posted is taken or refused with a code, and every alert that is taken is a fact', async () => {
  const { post } = await alertApi()
  const alert = fc.oneof(
    fc.record({
      status: fc.constantFrom('firing', 'resolved', 'other'),
      labels: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.constant('critical'))),
      startsAt: fc.oneof(fc.constant('2026-11-20T21:44:00Z'), fc.string()),
      fingerprint: fc.oneof(fc.constant('abc'), fc.string()),
    }),
    fc.jsonValue(),
    fc.constant(postedAlert()),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.jsonValue(),
        fc.array(alert, { maxLength: 5 }).map((all) => notification(all)),
      ),
      async (body) => {
        const response = await post(body)
        expect([200, 400]).toContain(response.statusCode)
        if (response.statusCode === 400) expect(response.json().code).toBe('API_BAD_REQUEST')
      },
    ),
    { numRuns: 300 },
  )
})
