import { azureTrafficManager } from '../../src/traffic/azure-traffic-manager/kind.ts'
import { trafficManagerAccount } from '../../src/traffic/azure-traffic-manager/settings.ts'
import { TARGET_IDS, trafficConformance } from '../conformance/traffic.ts'
import { RESOURCE_GROUP, SUBSCRIPTION } from '../fakes/azure.ts'
import { startTrafficManager } from '../fakes/azure-traffic-manager.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { combinedScope } from '../support/combined-scope.ts'

const CANARY = 'canary-77aa1'

function settings(profile: string) {
  return azureTrafficManager.settings.parse({ resourceGroup: RESOURCE_GROUP, profile, old: 'blue', new: 'green' })
}

function account(url: string, parts: object = {}) {
  return trafficManagerAccount.parse({
    subscription: SUBSCRIPTION,
    token: '${env:ARM_TOKEN}',
    endpoint: url,
    quota: { burst: 1000 },
    ...parts,
  })
}

function open(url: string) {
  const targets = TARGET_IDS.map((id) => ({ id, settings: settings(id) }))
  return combinedScope(azureTrafficManager, targets, account(url), adapterContext({ ARM_TOKEN: CANARY }))
}

trafficConformance('azure-traffic-manager', {
  canary: CANARY,
  inexpressiblePercents: [],
  async createPlace() {
    const azure = await startTrafficManager(CANARY, ['a', 'b', 'c'])
    return {
      open: () => open(azure.url),
      async writeForeign(targetId, weightPercent) {
        azure.setWeights(targetId, 1000 - weightPercent * 10, weightPercent * 10)
      },
      hang: async () => azure.hang(),
      stop: azure.stop,
      remove: azure.stop,
    }
  },
})
