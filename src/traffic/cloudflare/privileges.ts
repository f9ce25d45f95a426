import type { Privilege } from '../../ports/kind.ts'
import type { TrafficTarget } from '../../ports/traffic.ts'
import type { CloudflareSettings } from './settings.ts'

/** Tokens can be bound to zones, and to nothing finer. */
export function privilegesFor(targets: readonly TrafficTarget<CloudflareSettings>[]): readonly Privilege[] {
  const zones = [...new Set(targets.map(({ settings }) => settings.zone))]
  return [
    {
      title: 'API token of Cloudflare',
      format: 'text',
      document: `Zone → Load Balancers → Edit, for the specific zones ${zones.join(', ')}; nothing of the account`,
    },
  ]
}
