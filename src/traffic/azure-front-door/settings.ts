import { z } from 'zod'
import { about, duration, refuse } from '../../shared/schema.ts'
import { azureAccount, azureName, isSameName } from '../azure.ts'

/** Two origins of one origin group of Azure Front Door, Standard or Premium. */
export const frontDoorSettings = z
  .strictObject({
    resourceGroup: azureName().meta(about('The resource group that the profile is in', 'edge')),
    profile: azureName().meta(about('The Front Door profile, of the Standard or Premium tier', 'shop')),
    originGroup: azureName().meta(about('The origin group that holds both origins', 'checkout')),
    old: azureName().meta(about('Its origin that leads to the old cluster', 'blue')),
    new: azureName().meta(about('Its origin that leads to the new cluster', 'green')),
    propagation: duration()
      .prefault('20m')
      .meta(about('From a change that is done until every edge site of Front Door has it', '20m')),
  })
  .superRefine((settings, ctx) => {
    if (isSameName(settings.old, settings.new))
      refuse(ctx, 'CONFIG_DUPLICATE', `old and new are both ${settings.old}`, 'name two origins of the group')
  })
  .transform(({ propagation, ...rest }) => ({ ...rest, propagationSeconds: propagation }))

export type FrontDoorSettings = z.output<typeof frontDoorSettings>

/**
 * Resource Manager takes 10 writes a second after a burst of 200; what Microsoft.Cdn adds is not published. A write
 * here is a read and at most two changes: 4 a second and 100 at once, so that half is left to everybody else.
 */
export const frontDoorAccount = azureAccount({ callsPerSecond: 6, burst: 150 })
