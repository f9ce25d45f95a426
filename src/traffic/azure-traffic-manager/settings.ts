import { z } from 'zod'
import { about, duration, refuse } from '../../shared/schema.ts'
import { azureAccount, azureName, isSameName } from '../azure.ts'
import { movingTtl } from '../moving-ttl.ts'

/** Two endpoints of one profile, which routes by weight and has no other endpoint enabled. */
export const trafficManagerSettings = z
  .strictObject({
    resourceGroup: azureName().meta(about('The resource group that the profile is in', 'edge')),
    profile: azureName().meta(about('The Traffic Manager profile', 'checkout')),
    old: azureName().meta(about('Its endpoint that leads to the old cluster', 'blue')),
    new: azureName().meta(about('Its endpoint that leads to the new cluster', 'green')),
    propagation: duration()
      .prefault('60s')
      .meta(about('From a confirmed write until all name servers of Traffic Manager have it', '60s')),
    ttl: movingTtl('20s', 'The TTL of the profile while traffic moves, or `keep`'),
  })
  .superRefine((settings, ctx) => {
    if (isSameName(settings.old, settings.new))
      refuse(ctx, 'CONFIG_DUPLICATE', `old and new are both ${settings.old}`, 'name two endpoints of the profile')
  })
  .transform(({ propagation, ttl, ...rest }) => ({
    ...rest,
    propagationSeconds: propagation,
    movingTtlSeconds: ttl,
  }))

export type TrafficManagerSettings = z.output<typeof trafficManagerSettings>

/**
 * Microsoft.Network takes 1,000 writes in 5 minutes, Resource Manager 10 a second after a burst of 200. Every write
 * here is preceded by a read, which has quotas of its own, so at most half of the calls are writes: 3 a second, and
 * 100 at once.
 */
export const trafficManagerAccount = azureAccount({ callsPerSecond: 6, burst: 200 })
