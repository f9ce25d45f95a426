import { describe, expect, test } from 'vitest'
import type { Channel, Notification } from '../../src/ports/channel.ts'
import type { AdapterContext } from '../../src/ports/kind.ts'
import { sampleNotification } from '../notify/samples.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { until } from '../support/until.ts'

/** How a server is made to behave. */
export type Mood = 'fine' | 'busy' | 'forbidding' | 'unfit' | 'echoing' | 'silent' | 'hanging-up'

export interface ChannelPlace {
  open(context: AdapterContext): Channel
  /** What its references stand for. */
  readonly env: Readonly<Record<string, string>>
  /** What must never be shown: of a URL that is a secret, the part that is. */
  readonly secrets: readonly string[]
  mood(mood: Mood): void
  /** What was received whole and accepted, as text, one for each message or event. */
  accepted(): readonly string[]
  /** How many came and asked. */
  asked(): number
  /** Text of the sample that must arrive: of messages both workloads, of incidents their keys. */
  readonly shows: readonly string[]
}

/** What every channel must do. */
export function channelConformance(name: string, start: () => Promise<ChannelPlace>): void {
  describe(`${name} is a channel`, () => {
    const scene = async (mood: Mood, env?: Readonly<Record<string, string>>) => {
      const place = await start()
      place.mood(mood)
      const channel = place.open(adapterContext(env ?? place.env))
      const send = (notification: Notification = sampleNotification(), signal = new AbortController().signal) =>
        channel.send(notification, signal)
      return { place, channel, send }
    }

    test('what is accepted arrived, with what it is about', async () => {
      const { place, channel, send } = await scene('fine')
      expect(await send()).toEqual({ outcome: 'accepted' })
      const text = place.accepted().join('\n')
      for (const shown of place.shows) expect(text).toContain(shown)
      await channel.close()
    })

    test('the same notification twice is the same to the receiver, or comes once', async () => {
      const { place, channel, send } = await scene('fine')
      await send()
      const first = place.accepted()
      await send()
      const dated = /^(?:Date|Content-Type): .*|boundary.*|--.*$/gm
      const plain = place.accepted().map((text) => text.replaceAll(dated, ''))
      expect([[], first.map((text) => text.replaceAll(dated, ''))]).toContainEqual(plain.slice(first.length))
      await channel.close()
    })

    test.each<Mood>(['busy', 'forbidding', 'hanging-up'])('a server that is %s is asked again later', async (mood) => {
      const { place, channel, send } = await scene(mood)
      expect(await send()).toMatchObject({ outcome: 'later', detail: expect.stringMatching(/./) })
      expect(place.accepted()).toEqual([])
      place.mood('fine')
      expect(await send()).toEqual({ outcome: 'accepted' })
      await channel.close()
    })

    test('a notification that the server calls malformed is refused for good', async () => {
      const { channel, send } = await scene('unfit')
      expect(await send()).toMatchObject({ outcome: 'refused', detail: expect.stringMatching(/./) })
      await channel.close()
    })

    test('no secret is in what it tells, though the server repeats all that it was sent', async () => {
      const { place, channel, send } = await scene('echoing')
      const told = JSON.stringify(await send())
      expect(told).not.toContain('"accepted"')
      for (const secret of place.secrets) expect(told).not.toContain(secret)
      await channel.close()
    })

    test('a secret that is not there is a reason to try again later, which names the reference', async () => {
      const { place, channel, send } = await scene('fine', {})
      expect(await send()).toMatchObject({ outcome: 'later', detail: expect.stringContaining('${env:') })
      expect(place.asked()).toBe(0)
      await channel.close()
    })

    test('it heeds the signal', async () => {
      const { place, channel, send } = await scene('silent')
      const stopping = new AbortController()
      const sending = send(sampleNotification(), stopping.signal)
      await until('it asks', () => place.asked() > 0)
      stopping.abort()
      expect(await sending).toMatchObject({ outcome: 'later' })
      await channel.close()
    })

    test('text of any length and kind is told, or cut, but taken', async () => {
      const { channel, send } = await scene('fine')
      const sample = sampleNotification()
      const long = `${'a long line with 🙂 <@U123> *stars* [link](http://x) '.repeat(2_000)}\n`
      const incidents = sample.incidents.map((one) => ({ ...one, item: { ...one.item, what: long } }))
      expect(await send({ ...sample, text: long.repeat(3), incidents })).toEqual({ outcome: 'accepted' })
      await channel.close()
    })
  })
}
