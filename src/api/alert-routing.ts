import { isMissing, type RoutedAlert } from '../core/observation.ts'
import type { AlertmanagerConfig, AlertRoute } from '../policy/schema-alertmanager.ts'
import type { Control } from '../ports/control.ts'
import { compileMatchers, type LabelTest } from '../shared/promql/matching.ts'

type Labels = Readonly<Record<string, string>>

/** Where an alert leads: to workloads, by a route; or nowhere, and why. */
export type Routed =
  | { readonly route: AlertRoute; readonly resolved: 'keep' | 'clear'; readonly workloads: readonly Concerned[] }
  | { readonly reason: string }

/** A workload that an alert leads to, and which of its clusters the alert is about; null: neither. */
export type Concerned = Pick<RoutedAlert, 'workload' | 'concerns'>

/** The routes and what they look at: taken once for all alerts of a notification. */
export interface RoutedWorld {
  readonly routes: readonly { readonly route: AlertRoute; readonly fits: LabelTest }[]
  readonly receive: AlertmanagerConfig['receive']
  readonly workloads: readonly { readonly name: string; readonly migration: string; readonly clusters: Clusters }[]
  /** By migration and name: the workloads of each wave. */
  readonly waves: readonly {
    readonly migration: string
    readonly name: string
    readonly workloads: readonly string[]
  }[]
}

type Clusters = Readonly<Record<'old' | 'new', string>>

export function routedWorld(
  { routes, receive }: AlertmanagerConfig,
  control: Pick<Control, 'workloads' | 'fleets'>,
): RoutedWorld {
  return {
    routes: routes.map((route) => {
      const fits = compileMatchers({ matchers: route.match })
      // The config was refused otherwise.
      if (isMissing(fits)) throw new Error(fits.detail)
      return { route, fits }
    }),
    receive,
    workloads: control.workloads().map(({ plan }) => {
      return { name: plan.workload, migration: plan.migration, clusters: plan.clusters }
    }),
    waves: control.fleets().flatMap(({ migration, waves }) => waves.map((wave) => ({ migration, ...wave }))),
  }
}

/** The first route that fits, and that leads to a workload whose cluster the alert concerns. */
export function routeAlert(labels: Labels, world: RoutedWorld): Routed {
  const { routes, receive } = world
  let reason = 'no route matches it'
  for (const [index, { route, fits }] of routes.entries()) {
    if (!fits(labels)) continue
    const named = workloadsOf(route, labels, world)
    const cluster = labels[receive.clusterLabel]
    const workloads = named.filter(({ clusters }) => route.cluster === 'any' || clusters[route.cluster] === cluster)
    if (workloads.length > 0) {
      const concerned = workloads.map(({ name, clusters }) => ({ workload: name, concerns: sideOf(clusters, cluster) }))
      return { route, resolved: route.resolved ?? receive.resolved, workloads: concerned }
    }
    const about = cluster === undefined ? `it has no label ${receive.clusterLabel}` : `it concerns ${cluster}`
    reason = `route ${index + 1} matches, but ${named.length === 0 ? 'leads to no workload' : `${about}, not ${route.cluster}`}`
  }
  return { reason }
}

function sideOf(clusters: Clusters, cluster: string | undefined): Concerned['concerns'] {
  return (['old', 'new'] as const).find((side) => clusters[side] === cluster) ?? null
}

function workloadsOf(route: AlertRoute, labels: Labels, { workloads, waves }: RoutedWorld): RoutedWorld['workloads'] {
  const { workload, workloadLabel, wave, migration } = route
  if (workload !== undefined) return workloads.filter(({ name }) => name === workload)
  if (workloadLabel !== undefined) return workloads.filter(({ name }) => name === labels[workloadLabel])
  const own = workloads.filter((one) => migration === undefined || one.migration === migration)
  if (wave === undefined) return own
  const members = waves.filter((one) => one.name === wave)
  return own.filter(({ name, migration: its }) =>
    members.some((one) => one.migration === its && one.workloads.includes(name)),
  )
}
