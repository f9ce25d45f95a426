import type { Privilege } from '../../ports/kind.ts'
import type { TrafficTarget } from '../../ports/traffic.ts'
import type { HttpSettings } from './settings.ts'

/** What the provider's own rights must let Headgate do. */
export function privilegesFor(targets: readonly TrafficTarget<HttpSettings>[]): readonly Privilege[] {
  const byUrl = Map.groupBy(targets, ({ settings }) => settings.url)
  return [...byUrl].map(([url, members]) => ({
    title: `The token for ${url}`,
    format: 'text',
    document: `GET and PATCH ${url}/v1/splits, for ${members.map(({ settings }) => settings.split).join(', ')}`,
  }))
}
