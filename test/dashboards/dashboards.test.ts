import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { dashboardFiles } from '../../scripts/write-dashboards.ts'
import { METRICS, type MetricName } from '../../src/telemetry/names.ts'
import { DASHBOARDS, exprsOf } from '../support/dashboards.ts'

const RULES = readFileSync(new URL('../../rules/headgate.yaml', import.meta.url), 'utf8')

/** Metrics that neither a dashboard nor a rule asks for, and why they are there. */
const UNASKED: Partial<Record<MetricName, string>> = {
  headgate_build_info: 'says which version runs, for whoever joins it with something else',
  headgate_config_reload_timestamp_seconds:
    'the time of the config in force, for audits; rules go by whether it was taken',
}

test('the files are what `node scripts/write-dashboards.ts` writes', () => {
  expect(Object.fromEntries(DASHBOARDS.map(({ name, text }) => [name, text]))).toEqual(
    Object.fromEntries(dashboardFiles()),
  )
})

test('dashboards and rules ask for metrics that Headgate has, and each of those is asked for', () => {
  const exprs = DASHBOARDS.flatMap(({ dashboard }) => exprsOf(dashboard).map(({ expr }) => expr))
  const variables = DASHBOARDS.flatMap(({ dashboard }) =>
    dashboard.templating.list.map(({ query }) => JSON.stringify(query ?? '')),
  )
  const named = [...exprs, ...variables, RULES].flatMap((text) => text.match(/\bheadgate_\w+/g) ?? [])
  const asked = new Set(named.map((name) => name.replace(/_(?:bucket|count|sum)$/, '')))
  expect([...asked].filter((name) => !(name in METRICS))).toEqual([])
  const unasked = Object.keys(METRICS).filter((name) => !asked.has(name))
  expect(unasked.sort()).toEqual(Object.keys(UNASKED).sort())
})

describe.each(DASHBOARDS)('$name', ({ dashboard }) => {
  const panels = dashboard.panels.filter(({ type }) => type !== 'row')

  test('says what each panel shows, and asks something for it', () => {
    expect(panels.filter(({ description, targets }) => !description || targets.length === 0)).toEqual([])
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
  })

  test('asks for the chosen migration alone wherever a metric is of one', () => {
    const ofOne = exprsOf(dashboard).filter(({ expr }) => {
      const selectors = expr.match(/headgate_\w+(?:\{[^}]*\})?/g) ?? []
      return selectors.some((selector) => {
        const name = selector.replace(/\{.*/, '').replace(/_(?:bucket|count|sum)$/, '') as MetricName
        const labels: readonly string[] = METRICS[name].labels
        return labels.includes('migration') && !selector.includes('migration=~"$migration"')
      })
    })
    expect(ofOne).toEqual([])
  })

  test('marks raises, halts and reverts from metrics alone, and leads to the others', () => {
    expect(dashboard.annotations.list.map(({ name }) => name)).toEqual(['raise', 'halt', 'revert'])
    expect(dashboard.tags).toEqual(['headgate'])
  })
})
