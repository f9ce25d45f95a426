import { describe, expect, onTestFinished, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import type { Matcher } from '../../src/shared/promql/selector.ts'
import { createSilenceApi, type NewSilence } from '../../src/silence/api.ts'
import { systemClock } from '../../src/telemetry/runtime.ts'
import type { SeenSilence } from '../support/alertmanager.ts'
import { until } from '../support/until.ts'

/** Where silences are kept, as its own API tells them. */
export interface SilencePlace {
  readonly url: string
  silences(): readonly SeenSilence[] | Promise<readonly SeenSilence[]>
  /** Posts one by other hands. */
  post(silence: object): Promise<number>
}

const MATCHER: Matcher = { label: 'alertname', op: '=', value: 'TrafficRose' }
const HOUR_MS = 3_600_000

/** What a real Alertmanager does with Headgate's silences, and the fake one has to do as well. */
export function silenceConformance(name: string, start: () => Promise<SilencePlace>): void {
  describe(`${name} keeps silences`, () => {
    const scene = async () => {
      const place = await start()
      const api = createSilenceApi({ clock: systemClock, secret: (reference) => reference })
      onTestFinished(() => api.close())
      const at = { url: place.url, auth: undefined }
      const add = (silence: Partial<NewSilence> = {}) => {
        const startsAtMs = Date.now()
        const usual = { matchers: [MATCHER], startsAtMs, endsAtMs: startsAtMs + HOUR_MS, comment: 'because' }
        return api.add(at, { ...usual, ...silence })
      }
      const added = async (silence: Partial<NewSilence> = {}) => {
        const answer = await add(silence)
        if (isMissing(answer)) throw new Error(answer.detail)
        return answer.id
      }
      const listed = async (id: string) => {
        const all = await api.list(at)
        return isMissing(all) ? all : (all.find((silence) => silence.id === id) ?? null)
      }
      const seen = async (id: string) => (await place.silences()).find((silence) => silence.id === id)
      return { place, api, at, add, added, listed, seen }
    }

    test('one that is made is there with its comment, its maker and its end, until it is expired', async () => {
      const { api, at, added, listed, seen } = await scene()
      const endsAtMs = Date.now() + HOUR_MS
      const id = await added({ endsAtMs, comment: '[run 1] “because”\nof this' })
      expect(await listed(id)).toEqual({ id, comment: '[run 1] “because”\nof this', isActive: true })
      const before = await seen(id)
      expect(before).toMatchObject({ createdBy: 'headgate', status: { state: 'active' } })
      expect(Date.parse(before?.endsAt ?? '')).toBe(endsAtMs)
      expect(await api.expire(at, id)).toBeNull()
      expect(await listed(id)).toMatchObject({ isActive: false })
      expect(await seen(id)).toMatchObject({ status: { state: 'expired' } })
    })

    test('each matcher means there what it means here', async () => {
      const { added, seen } = await scene()
      const matchers: readonly Matcher[] = [
        { label: 'a', op: '=', value: 'x' },
        { label: 'b', op: '!=', value: '"quoted" \\ and\nmore' },
        { label: 'c', op: '=~', value: 'x|y.*' },
        { label: 'd', op: '!~', value: '\\d+\\.' },
      ]
      const kept = (await seen(await added({ matchers })))?.matchers
      expect(kept?.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
        { name: 'a', value: 'x', isRegex: false, isEqual: true },
        { name: 'b', value: '"quoted" \\ and\nmore', isRegex: false, isEqual: false },
        { name: 'c', value: 'x|y.*', isRegex: true, isEqual: true },
        { name: 'd', value: '\\d+\\.', isRegex: true, isEqual: false },
      ])
    })

    test('it ends by itself', async () => {
      const { add, listed } = await scene()
      // One that comes when its end is over is refused.
      const made = await until('one is made in time', async () => {
        const answer = await add({ endsAtMs: Date.now() + 1000 })
        return !isMissing(answer) && answer
      })
      await until('the end', async () => {
        const silence = await listed(made.id)
        return silence !== null && !isMissing(silence) && !silence.isActive
      })
    })

    test.each<[string, (nowMs: number) => Partial<NewSilence>]>([
      ['one that is over', (nowMs) => ({ startsAtMs: nowMs - HOUR_MS, endsAtMs: nowMs - HOUR_MS / 2 })],
      ['one that ends before it begins', (nowMs) => ({ startsAtMs: nowMs + HOUR_MS, endsAtMs: nowMs + HOUR_MS / 2 })],
      ['one of everything', () => ({ matchers: [{ label: 'alertname', op: '=~', value: '.*' }] })],
      ['one of nothing', () => ({ matchers: [] })],
    ])('%s is refused', async (_name, silence) => {
      const { place, add } = await scene()
      const before = (await place.silences()).length
      expect(await add(silence(Date.now()))).toMatchObject({ kind: 'missing', why: 'refused' })
      expect(await place.silences()).toHaveLength(before)
    })

    test('one without an end is taken from nobody', async () => {
      const { place } = await scene()
      const matchers = [{ name: 'a', value: 'x', isRegex: false, isEqual: true }]
      expect(await place.post({ matchers, startsAt: new Date().toISOString(), createdBy: 'ann', comment: 'x' })).toBe(
        422,
      )
    })

    test('those of others are left alone', async () => {
      const { place, api, at } = await scene()
      const [startsAt, endsAt] = [Date.now(), Date.now() + HOUR_MS].map((atMs) => new Date(atMs).toISOString())
      const matchers = [{ name: 'a', value: 'x', isRegex: false, isEqual: true }]
      expect(await place.post({ matchers, startsAt, endsAt, createdBy: 'ann', comment: '[run 1] mine' })).toBe(200)
      const all = await api.list(at)
      expect(isMissing(all) || all.some(({ comment }) => comment.includes('mine'))).toBe(false)
    })

    test('to end what is over is no trouble, and what was never there is said to be unknown', async () => {
      const { api, at, added } = await scene()
      const id = await added()
      await api.expire(at, id)
      expect(await api.expire(at, id)).toBeNull()
      const unknown = '00000000-0000-4000-8000-000000000000'
      expect(await api.expire(at, unknown)).toMatchObject({ kind: 'missing', why: 'refused' })
    })
  })
}
