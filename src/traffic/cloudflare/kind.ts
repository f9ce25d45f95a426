import type { TrafficKind } from '../../ports/traffic.ts'
import { CloudflareClient } from './client.ts'
import { privilegesFor } from './privileges.ts'
import { CloudflareScope } from './scope.ts'
import { type CloudflareAccount, type CloudflareSettings, cloudflareAccount, cloudflareSettings } from './settings.ts'
import { nearestWeights } from './weights.ts'

/** Pool weights of Cloudflare's load balancers. A scope is one load balancer, and so is its only place. */
export const cloudflare: TrafficKind<CloudflareSettings, CloudflareAccount> = {
  kind: 'cloudflare',
  settings: cloudflareSettings,
  account: cloudflareAccount,
  scopeOf: ({ zone, loadBalancer }) => `${zone}/${loadBalancer.toLowerCase()}`,
  placeOf: ({ loadBalancer }) => loadBalancer.toLowerCase(),
  timingOf: ({ propagationSeconds, movingTtlSeconds }) => ({ propagationSeconds, movingTtlSeconds }),
  nearestWeights,
  privilegesFor,
  open([target], account, { quotas, secret }) {
    if (target === undefined) throw new Error('a scope is opened with at least one target')
    // The rate is limited for the user whose token it is; who the user is, only the token's reference tells.
    const quota = quotas.of(`cloudflare:${account.token}`, account.quota)
    return new CloudflareScope(new CloudflareClient(account, secret), quota, target)
  },
}
