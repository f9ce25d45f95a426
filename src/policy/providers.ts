import type { Json } from '../core/plan.ts'
import type { Finding } from './finding.ts'
import type { TrafficKindConfig } from './kinds.ts'
import type { ParsedConfig } from './schema.ts'

/** A kind that some workload uses needs its settings under `providers`, unless all of them have defaults. */
export function checkProviders(config: ParsedConfig, kinds: readonly TrafficKindConfig[]): Finding[] {
  return usedKinds(config, kinds).flatMap(({ kind, account }): Finding[] => {
    if (account === null || config.providers[kind] !== undefined || account.safeParse({}).success) return []
    const index = config.workloads.findIndex(({ traffic }) => traffic[kind] !== undefined)
    return [
      {
        code: 'CONFIG_MISSING_KEY',
        cause: `nothing under \`providers\` says which account ${kind} belongs to`,
        hint: `add \`providers: { ${kind}: … }\`; see docs/providers/${kind}.md`,
        path: ['workloads', index, 'traffic', kind],
        on: 'key',
      },
    ]
  })
}

/** By kind that some workload uses: its settings under `providers`, with all defaults. */
export function providersOf(config: ParsedConfig, kinds: readonly TrafficKindConfig[]): Record<string, Json> {
  return Object.fromEntries(
    usedKinds(config, kinds).flatMap(({ kind, account }): [string, Json][] =>
      account === null ? [] : [[kind, config.providers[kind] ?? (account.parse({}) as Json)]],
    ),
  )
}

function usedKinds(config: ParsedConfig, kinds: readonly TrafficKindConfig[]): readonly TrafficKindConfig[] {
  return kinds.filter(({ kind }) => config.workloads.some(({ traffic }) => traffic[kind] !== undefined))
}
