import type { Privilege } from '../../ports/kind.ts'
import type { TrafficTarget } from '../../ports/traffic.ts'
import type { PowerdnsAccount, PowerdnsSettings } from './settings.ts'

/** PowerDNS has one key with all rights; a proxy before it can grant less. */
export function privilegesFor(
  targets: readonly TrafficTarget<PowerdnsSettings>[],
  { url, server }: PowerdnsAccount,
): readonly Privilege[] {
  const zones = [...new Set(targets.map(({ settings }) => settings.zone))]
  const base = `/api/v1/servers/${server}`
  return [
    {
      title: `The API key of PowerDNS at ${url}`,
      format: 'text',
      document: [
        'PowerDNS knows no finer rights than its api-key. A proxy that grants less must let through:',
        ...zones.map((zone) => `GET and PATCH ${base}/zones/${zone}.; GET ${base}/zones/${zone}./metadata`),
        `GET ${base}/config`,
      ].join('\n'),
    },
  ]
}
