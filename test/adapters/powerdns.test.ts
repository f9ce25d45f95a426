import { afterAll, describe } from 'vitest'
import { TARGET_IDS, type TrafficPlace, type TrafficTraits, trafficConformance } from '../conformance/traffic.ts'
import { startFakePowerdns } from '../fakes/powerdns.ts'
import { type RealPowerdns, startPowerdns } from '../support/powerdns.ts'
import { NEW, OLD, openZone, recordOf } from '../support/powerdns-scope.ts'
import { API_KEY, luaContent, type Powerdns, putRrsets } from '../support/powerdns-user.ts'
import { requireServer } from '../support/servers.ts'

const TRAITS: Omit<TrafficTraits, 'createPlace'> = { canary: API_KEY, inexpressiblePercents: [] }

async function layOut(server: Powerdns): Promise<Omit<TrafficPlace, 'remove'>> {
  await putRrsets(
    server,
    ['a', 'b', 'c'].flatMap((id) => [
      { name: recordOf(id), type: 'LUA', contents: [] },
      { name: recordOf(id), type: 'A', contents: [OLD] },
    ]),
  )
  return {
    open: () => openZone(server, TARGET_IDS),
    async writeForeign(targetId, weightPercent) {
      const weights = [
        [100 - weightPercent, OLD],
        [weightPercent, NEW],
      ] as const
      await putRrsets(server, [
        { name: recordOf(targetId), type: 'A', contents: [] },
        { name: recordOf(targetId), type: 'LUA', contents: [luaContent('A', weights)] },
      ])
    },
    hang: async () => server.freeze(),
    stop: () => server.stop(),
  }
}

trafficConformance('powerdns, before a fake of its API and its DNS,', {
  ...TRAITS,
  async createPlace() {
    const fake = await startFakePowerdns()
    return { ...(await layOut(fake)), remove: fake.stop }
  },
})

const binary = requireServer('pdns_server', 'powerdns, the real one')

describe.skipIf(binary === null)('the real PowerDNS', () => {
  // It starts in half a second: tests that leave it in peace share it.
  let shared: RealPowerdns | null = null
  afterAll(() => shared?.stop())

  trafficConformance('powerdns', {
    ...TRAITS,
    async createPlace() {
      const server = shared ?? (await startPowerdns(binary ?? ''))
      shared = server
      const place = await layOut(server)
      const giveUp = () => {
        shared = null
      }
      return {
        ...place,
        async hang() {
          giveUp()
          await place.hang()
        },
        async stop() {
          giveUp()
          await place.stop()
        },
        async remove() {
          if (shared !== server) await server.stop()
        },
      }
    },
  })
})
