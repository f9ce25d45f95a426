import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Missing } from '../../src/core/observation.ts'
import { createSilenceApi } from '../../src/silence/api.ts'
import { systemClock } from '../../src/telemetry/runtime.ts'
import { silenceConformance } from '../conformance/silences.ts'
import { startFakeAlertmanager } from '../fakes/alertmanager.ts'
import { type RealAlertmanager, startAlertmanager } from '../support/alertmanager.ts'
import { requireServer } from '../support/servers.ts'

silenceConformance('the fake Alertmanager', async () => {
  const fake = await startFakeAlertmanager()
  return { url: fake.url, silences: fake.silences, post: (silence) => post(fake.url, silence) }
})

const BINARY = requireServer('prometheus-alertmanager', 'silences in a real Alertmanager')

describe.skipIf(BINARY === null)('with the server', () => {
  let real: RealAlertmanager | null = null
  beforeAll(async () => {
    real = await startAlertmanager(BINARY ?? '', { url: 'http://127.0.0.1:9/', token: 'nobody' })
  })
  afterAll(() => real?.stop())

  silenceConformance('the real Alertmanager', async () => {
    if (real === null) throw new Error('it was not started')
    const { url, silences } = real
    return { url, silences, post: (silence) => post(url, silence) }
  })
})

async function post(url: string, silence: object): Promise<number> {
  const { statusCode, body } = await request(`${url}/api/v2/silences`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(silence),
  })
  await body.dump()
  return statusCode
}

describe('what Alertmanager answers', () => {
  const scene = async () => {
    const fake = await startFakeAlertmanager()
    const secret = (reference: string) => (reference === '${env:TOKEN}' ? 'canary-token' : 'canary-password')
    const api = createSilenceApi({ clock: systemClock, secret })
    onTestFinished(() => api.close())
    return { fake, api }
  }

  test.each<['away' | 'echoing' | 'babbling', Missing['why']]>([
    ['away', 'unreachable'],
    ['echoing', 'refused'],
    ['babbling', 'bad-answer'],
  ])('one that is %s has no silences, and says why', async (mood, why) => {
    const { fake, api } = await scene()
    fake.mood(mood)
    const silence = { matchers: [], startsAtMs: 0, endsAtMs: 1, comment: '' }
    const place = { url: `${fake.url}/`, auth: undefined }
    expect(await api.list(place)).toMatchObject({ kind: 'missing', why })
    expect(await api.add(place, silence)).toMatchObject({ kind: 'missing', why })
    if (mood !== 'babbling') expect(await api.expire(place, 'x')).toMatchObject({ kind: 'missing', why })
  })

  test.each([
    [{ bearer: '${env:TOKEN}', basic: undefined }, 'Bearer canary-token'],
    [
      { bearer: undefined, basic: { username: 'headgate', password: '${env:PASSWORD}' } },
      `Basic ${Buffer.from('headgate:canary-password').toString('base64')}`,
    ],
  ])('credentials are sent, and repeated to nobody', async (auth, header) => {
    const { fake, api } = await scene()
    fake.mood('echoing')
    const answer = await api.list({ url: fake.url, auth })
    expect(fake.requests[0]?.headers.authorization).toBe(header)
    expect(JSON.stringify(answer)).toContain('status 401')
    expect(JSON.stringify(answer)).not.toMatch(/canary|Y2FuYXJ5|aGVhZGdhdGU6/)
  })

  test('addresses at which clouds tell secrets are not asked', async () => {
    const { api } = await scene()
    const answer = await api.list({ url: 'http://169.254.169.254', auth: undefined })
    expect(answer).toMatchObject({ kind: 'missing', why: 'unreachable', detail: 'HEADGATE_GUARDED_ADDRESS' })
  })
})
