import { TARGET_IDS, trafficConformance } from '../conformance/traffic.ts'
import { createFakeTraffic } from '../fakes/traffic.ts'
import { adapterContext } from '../support/adapter-context.ts'

trafficConformance('the fake', {
  canary: null,
  inexpressiblePercents: [],
  async createPlace() {
    const fake = createFakeTraffic({ 'proxy/a': 0, 'proxy/b': 0, 'proxy/c': 0 })
    const targets = TARGET_IDS.map((id) => ({ id, settings: fake.kind.settings.parse({ scope: 'proxy', place: id }) }))
    return {
      open: () => fake.kind.open(targets, null, adapterContext()),
      async writeForeign(targetId, weightPercent) {
        fake.weights.set(`proxy/${targetId}`, weightPercent)
      },
      async hang() {
        fake.hang()
      },
      async stop() {
        fake.faults.unreachable = true
      },
      async remove() {
        fake.resume()
      },
    }
  },
})
