import { afterEach, beforeEach, vi } from 'vitest'
import { trafficConformance } from '../conformance/traffic.ts'
import { FAKE_ACCESS_KEY, fakePair, startFakeRoute53 } from '../fakes/route53.ts'
import { openRoute53, ROUTE53_TARGETS, ZONE } from '../support/route53.ts'

const CANARY = 'canary-route53-5e1d'

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', FAKE_ACCESS_KEY)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CANARY)
})
afterEach(() => void vi.unstubAllEnvs())

trafficConformance('route53, before a strict fake,', {
  canary: CANARY,
  inexpressiblePercents: [0.1, 0.2, 0.3, 99.7, 99.8, 99.9],
  async createPlace() {
    const fake = await startFakeRoute53()
    fake.addZone(ZONE, 'example.com')
    fake.seed(
      ZONE,
      ['a', 'b', 'c'].flatMap((id) => fakePair(`${id}.example.com`, 100, 0)),
    )
    return {
      open: () => openRoute53(fake.url, ROUTE53_TARGETS).scope,
      async writeForeign(targetId, weightPercent) {
        fake.seed(ZONE, fakePair(`${targetId}.example.com`, 100 - weightPercent, weightPercent))
      },
      hang: async () => {
        fake.fault = () => 'hang'
      },
      stop: fake.stop,
      remove: fake.stop,
    }
  },
})
