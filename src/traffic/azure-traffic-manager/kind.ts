import type { TrafficManagerManagementClient } from '@azure/arm-trafficmanager'
import type { TrafficKind } from '../../ports/traffic.ts'
import { type AzureAccount, customRole } from '../azure.ts'
import { AzureClients } from '../azure-client.ts'
import { TrafficManagerScope } from './scope.ts'
import { type TrafficManagerSettings, trafficManagerAccount, trafficManagerSettings } from './settings.ts'

const KIND = 'azure-traffic-manager'

const clients = new AzureClients<TrafficManagerManagementClient>(async (credential, subscription, options) => {
  const { TrafficManagerManagementClient } = await import('@azure/arm-trafficmanager')
  return new TrafficManagerManagementClient(credential, subscription, options)
})

/** The endpoints' weights of a Traffic Manager profile. A scope is one profile, and so is a place. */
export const azureTrafficManager: TrafficKind<TrafficManagerSettings, AzureAccount> = {
  kind: KIND,
  settings: trafficManagerSettings,
  account: trafficManagerAccount,
  scopeOf: ({ resourceGroup, profile }) => `${resourceGroup}/${profile}`.toLowerCase(),
  // All enabled endpoints of a profile share its traffic: a second pair would change the first one's share.
  placeOf: ({ profile }) => profile.toLowerCase(),
  timingOf: ({ propagationSeconds, movingTtlSeconds }) => ({ propagationSeconds, movingTtlSeconds }),
  nearestWeights: (weightPercent) => [weightPercent],
  privilegesFor(targets, account) {
    const role = {
      name: 'Headgate: Traffic Manager',
      description: 'Lets Headgate read and set the weights and the TTL of Traffic Manager profiles.',
      actions: ['Microsoft.Network/trafficManagerProfiles/read', 'Microsoft.Network/trafficManagerProfiles/write'],
    }
    return [
      customRole(
        role,
        account,
        targets.map(({ settings }) => settings.resourceGroup),
      ),
    ]
  },
  open(targets, account, context) {
    const where = targets[0]?.settings
    if (where === undefined) throw new Error('a scope is opened with at least one target')
    return new TrafficManagerScope(where, targets, clients.open(KIND, account, context))
  },
}
