import type { FleetPlan, Signal } from '../core/fleet-plan.ts'
import { SIGNAL_WINDOW_SECONDS } from '../policy/signals.ts'
import { quote } from '../shared/promql/literal.ts'
import { runbookUrl } from './health.ts'
import { plain, type RuleGroup } from './rule.ts'

const RECORD = 'headgate:signal:value'

/** A migration's cluster signals, as the config has them: each as a series by cluster, and an alert beyond its bound. */
export function signalGroup({ migration, clusters, signals }: FleetPlan, runbooks: string): RuleGroup | null {
  if (signals.length === 0) return null
  return {
    name: `headgate-signals-${migration}`,
    rules: signals.flatMap((signal) => {
      const { id, title, query, forSeconds, clusterLabel } = signal
      const labels = { migration, signal: id }
      return [
        plain({ record: RECORD, expr: query.replaceAll('$window', `${SIGNAL_WINDOW_SECONDS}s`), labels }),
        plain({
          alert: 'HeadgateSignal',
          expr: beyond(signal, migration, clusters),
          ...(forSeconds > 0 && { for: `${forSeconds}s` }),
          // A comparison of two clusters loses the label that tells them apart.
          labels: { severity: 'page', ...labels, [clusterLabel]: clusters.new },
          annotations: {
            summary: `${title}: ${clusters.new} is beyond its bound`,
            description: `{{ $value | printf "%.4g" }}${signal.unit === '' ? '' : ` ${signal.unit}`}, where ${boundText(signal, clusters.old)}. While it lasts, Headgate halts what is under way in ${migration}.`,
            runbook_url: runbookUrl(runbooks, 'HeadgateSignal'),
          },
        }),
      ]
    }),
  }
}

function beyond({ id, bound, clusterLabel }: Signal, migration: string, clusters: FleetPlan['clusters']): string {
  const of = (cluster: string) =>
    `${RECORD}{migration=${quote(migration)},signal=${quote(id)},${clusterLabel}=${quote(cluster)}}`
  if ('max' in bound) return `${of(clusters.new)} > ${bound.max}`
  if ('min' in bound) return `${of(clusters.new)} < ${bound.min}`
  return `${of(clusters.new)} > ignoring (${clusterLabel}) (${of(clusters.old)} * ${bound.timesOld} + ${bound.plus})`
}

function boundText({ bound, unit }: Signal, old: string): string {
  const withUnit = (value: number) => (unit === '' ? String(value) : `${value} ${unit}`)
  if ('max' in bound) return `at most ${withUnit(bound.max)} is right`
  if ('min' in bound) return `at least ${withUnit(bound.min)} is right`
  return `at most ${bound.timesOld} times the value of ${old} and ${withUnit(bound.plus)} is right`
}
