import type { CdnManagementClient } from '@azure/arm-cdn'
import type { TrafficKind } from '../../ports/traffic.ts'
import { type AzureAccount, customRole } from '../azure.ts'
import { AzureClients } from '../azure-client.ts'
import { FrontDoorScope } from './scope.ts'
import { type FrontDoorSettings, frontDoorAccount, frontDoorSettings } from './settings.ts'

const KIND = 'azure-front-door'

const clients = new AzureClients<CdnManagementClient>(async (credential, subscription, options) => {
  const { CdnManagementClient } = await import('@azure/arm-cdn')
  return new CdnManagementClient(credential, subscription, options)
})

/** The origins' weights of Azure Front Door, Standard or Premium. A scope is one origin group, and so is a place. */
export const azureFrontDoor: TrafficKind<FrontDoorSettings, AzureAccount> = {
  kind: KIND,
  settings: frontDoorSettings,
  account: frontDoorAccount,
  scopeOf: ({ resourceGroup, profile, originGroup }) => `${resourceGroup}/${profile}/${originGroup}`.toLowerCase(),
  // All enabled origins of a group share its traffic: a second pair would change the first one's share.
  placeOf: ({ originGroup }) => originGroup.toLowerCase(),
  timingOf: ({ propagationSeconds }) => ({ propagationSeconds, movingTtlSeconds: null }),
  nearestWeights: (weightPercent) => [weightPercent],
  privilegesFor(targets, account) {
    const role = {
      name: 'Headgate: Front Door',
      description: 'Lets Headgate read origin groups of Front Door, and set the weights of their origins.',
      actions: [
        'Microsoft.Cdn/profiles/originGroups/read',
        'Microsoft.Cdn/profiles/originGroups/origins/read',
        'Microsoft.Cdn/profiles/originGroups/origins/write',
      ],
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
    return new FrontDoorScope(where, targets, clients.open(KIND, account, context))
  },
}
