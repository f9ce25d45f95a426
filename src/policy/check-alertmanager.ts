import { matcherText } from '../shared/alertmanager/matchers.ts'
import { mayOverlap } from '../shared/alertmanager/overlap.ts'
import type { Finding } from './finding.ts'
import { wavesOf } from './fleet.ts'
import type { ParsedConfig } from './schema.ts'
import type { AlertRoute } from './schema-alertmanager.ts'
import { suggestion } from './suggest.ts'

/** What may be silenced must never be an alert that reverts. */
export function checkSilence({ alertmanager }: ParsedConfig): Finding[] {
  const { silence, routes = [] } = alertmanager ?? {}
  if (silence === undefined) return []
  return routes.flatMap(({ action, match }, index): Finding[] => {
    if (action !== 'revert' || !mayOverlap(silence.matchers, match)) return []
    return [
      {
        code: 'CONFIG_WRONG_VALUE',
        cause: `an alert that reverts, by ${match.map(matcherText).join(',')}, could be silenced`,
        hint: 'set them apart by a label, such as alertname="…" in one and another value in the other',
        path: ['alertmanager', 'silence', 'matchers'],
        on: 'key',
        other: { path: ['alertmanager', 'routes', index, 'match'], on: 'key' },
      },
    ]
  })
}

/** Whether what the routes name is there: in any of the configs, as they are one service's. */
export function checkRoutes(configs: readonly ParsedConfig[]): Finding[] {
  const routes = configs[0]?.alertmanager?.routes ?? []
  return routes.flatMap((route, index) => {
    const finding = routeFinding(route, configs)
    return finding ? [{ ...finding, path: ['alertmanager', 'routes', index, ...finding.path] }] : []
  })
}

function routeFinding({ workload, wave, migration }: AlertRoute, configs: readonly ParsedConfig[]): Finding | null {
  const own = configs.filter((config) => migration === undefined || config.migration === migration)
  if (migration !== undefined && own.length === 0)
    return notFound(
      'migration',
      migration,
      configs.map((config) => config.migration),
    )
  if (workload !== undefined) {
    const names = configs.flatMap(({ workloads }) => workloads.map((one) => one.name))
    return names.includes(workload) ? null : notFound('workload', workload, names)
  }
  if (wave === undefined) return null
  const waves = own.flatMap((config) => wavesOf(config).map((one) => one.name))
  const count = waves.filter((one) => one === wave).length
  if (count === 0) return notFound('wave', wave, waves)
  if (count === 1) return null
  return {
    code: 'CONFIG_WRONG_VALUE',
    cause: `several migrations have a wave "${wave}"`,
    hint: 'add `migration:` with the name of one',
    path: ['wave'],
  }
}

function notFound(what: 'workload' | 'wave' | 'migration', name: string, known: readonly string[]): Finding {
  return {
    code: 'CONFIG_NOT_FOUND',
    cause: `no ${what} is called "${name}"`,
    hint: suggestion(name, known),
    path: [what],
  }
}
