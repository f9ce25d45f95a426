import { z } from 'zod'
import { about, duration, refuse, secretReference } from '../../shared/schema.ts'
import { endpoint, quota } from '../account.ts'
import { movingTtl } from '../moving-ttl.ts'

/**
 * Cloudflare allows a user 1,200 calls in 5 minutes, of all tokens together, and blocks all calls for the next 5 minutes
 * after that. This is 1,000 in any 5 minutes at most: the rest is for people, Terraform and the dashboard.
 */
const DEFAULT_QUOTA = { callsPerSecond: 3, burst: 100 }

/** One load balancer with two pools. */
export const cloudflareSettings = z
  .strictObject({
    zone: id("The zone's id", '023e105f4ecef8ad9ca31a8372d0c353'),
    loadBalancer: z
      .string()
      .superRefine((text, ctx) => {
        if (!/^[A-Za-z0-9_*][A-Za-z0-9._-]{0,252}$/.test(text))
          refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is neither an id nor a host name`)
      })
      .meta(about("The load balancer's id, or the host name that it answers for", 'checkout.example.com')),
    old: id('The id of its pool that leads to the old cluster', '17b5962d775c646f3f9725cbc7a53df4'),
    new: id('The id of its pool that leads to the new cluster', '9290f38c5d07c2e2f4df57b1f61d4196'),
    propagation: duration({ maxSeconds: 3600 })
      .prefault('30s')
      .meta(about('From an acknowledged write until all of Cloudflare has it', '30s')),
    ttl: movingTtl('keep', 'The TTL while traffic moves, for a load balancer that is not proxied; or `keep`', '30s'),
  })
  .superRefine((settings, ctx) => {
    if (settings.old === settings.new)
      refuse(ctx, 'CONFIG_DUPLICATE', `old and new are both ${settings.old}`, 'name two pools of the load balancer')
  })
  .transform(({ propagation, ttl, ...rest }) => ({
    ...rest,
    propagationSeconds: propagation,
    movingTtlSeconds: ttl,
  }))

export type CloudflareSettings = z.output<typeof cloudflareSettings>

export const cloudflareAccount = z.strictObject({
  token: secretReference().meta(about('An API token', '${env:CLOUDFLARE_API_TOKEN}')),
  endpoint: endpoint('https://api.cloudflare.com/client/v4'),
  quota: quota(DEFAULT_QUOTA),
})

export type CloudflareAccount = z.output<typeof cloudflareAccount>

/** True for what Cloudflare gives as an id; anything else is a name. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text)
}

function id(what: string, example: string) {
  return z
    .string()
    .superRefine((text, ctx) => {
      if (!isId(text))
        refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no id of Cloudflare's`, 'copy the 32 hexadecimal digits')
    })
    .meta(about(what, example))
}
