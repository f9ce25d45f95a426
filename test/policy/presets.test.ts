import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Gate, Plan } from '../../src/core/plan.ts'
import { formatProblem } from '../../src/core/problem.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { PRESETS, type PresetName } from '../../src/policy/presets.ts'
import { kinds } from '../policies/kinds.ts'

const SLIS = {
  availability: { objective: '99.9%', total: 'requests_total', bad: 'requests_failed_total' },
  latency: { objective: '99%', histogram: 'request_seconds', slowerThan: '500ms' },
}
const PROBES = [{ url: 'http://checkout/healthz', address: { new: '203.0.113.9' } }]

describe.each(PRESETS)('the preset %s', (name) => {
  const { gates, steps } = planWith({ policy: name })

  test('is a policy that a user can copy and change', () => {
    const { gates: copied, ...rest } = planWith({ policy: 'own', policies: { own: parse(textOf(name)) } })
    expect(copied).toEqual(gates)
    expect(rest.steps).toEqual(steps)
  })

  test('holds at 99 % before 100 %, and that longest or as long as anywhere', () => {
    expect(steps.slice(-2).map(({ weightPercent }) => weightPercent)).toEqual([99, 100])
    expect(steps.at(-2)?.holdSeconds).toBe(Math.max(...steps.map(({ holdSeconds }) => holdSeconds)))
  })

  test('says in its file how long its holds are together', () => {
    const minutes = steps.reduce((sum, { holdSeconds }) => sum + holdSeconds / 60, 0)
    const told = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    expect(textOf(name).replaceAll(/\n# /g, ' ')).toContain(`All holds together: ${told}.`)
  })

  test('has a reason for each of its keys', () => {
    const lines = textOf(name).split('\n')
    const bare = lines.filter((line, index) => /^[a-zA-Z]+:/.test(line) && !lines[index - 1]?.startsWith('# '))
    expect(bare).toEqual([])
  })

  test('gives each gate an id of its own', () => {
    expect(new Set(gates.map(({ id }) => id)).size).toBe(gates.length)
  })
})

test('the slower a preset is, the less it lets NEW fail, and the more proof it asks for', () => {
  const plans = PRESETS.map((name) => planWith({ policy: name }))
  const falls = (values: readonly number[]) => expect(values).toEqual(values.toSorted((a, b) => b - a))
  falls(plans.map(({ steps }) => steps.reduce((sum, { holdSeconds }) => sum + holdSeconds, 0)))
  falls(plans.map(({ bakeSeconds }) => bakeSeconds))
  falls(
    plans.flatMap(({ gates }) =>
      gates.flatMap((gate) => (gate.id === 'proof/availability' && gate.kind === 'proof' ? [gate.need] : [])),
    ),
  )
  falls(
    plans.flatMap(({ gates }) =>
      gates.flatMap((gate) => (gate.id === 'harm/availability' && gate.kind === 'harm' ? [-gate.halt.margin] : [])),
    ),
  )
})

describe('the false alarms of a policy', () => {
  const shares = (gates: readonly Gate[]) =>
    gates.flatMap((gate) => {
      if (gate.kind === 'harm') return [{ worst: gate.worst, revert: gate.revert.alpha, halt: gate.halt.alpha }]
      return gate.kind === 'latency' ? [{ worst: gate.worst, ...gate.alpha }] : []
    })

  test.each([
    ['one SLI', { slis: { availability: SLIS.availability }, probes: [] }, 1, 1],
    ['an SLI of latencies, which has two tests', { slis: { latency: SLIS.latency }, probes: [] }, 2, 0],
    ['two SLIs and a probe', { slis: SLIS, probes: PROBES }, 4, 2],
    ['a probe alone', { slis: {}, probes: PROBES }, 1, 1],
    [
      'a value, which has a bound and no test',
      { slis: { ...SLIS, load: { value: 'max by (cluster, service) (load)', max: 1 } }, probes: PROBES },
      4,
      2,
    ],
    [
      'a probe of OLD, which judges nothing',
      { slis: SLIS, probes: [{ ...PROBES[0], address: { old: '198.51.100.7' } }] },
      3,
      1,
    ],
  ])('are shared by the tests of a workload with %s', (_, parts, tests, reverting) => {
    const alphas = shares(planWith({ policy: 'standard', ...parts }).gates)
    expect(alphas).toHaveLength(tests)
    expect(alphas.filter(({ worst }) => worst === 'revert')).toHaveLength(reverting)
    for (const { worst, revert, halt } of alphas) {
      expect(revert).toBeCloseTo(0.001 / (worst === 'revert' ? reverting : tests), 12)
      expect(halt).toBeCloseTo(0.01 / tests, 12)
    }
  })
})

test('an SLI whose worst is a halt has no gate that reverts', () => {
  const { gates } = planWith({ policy: 'cautious', slis: { latency: SLIS.latency }, probes: [] })
  expect(gates.map(({ kind }) => kind)).toEqual(['burnRate', 'harm', 'latency', 'budget', 'proof'])
  for (const gate of gates) {
    if (gate.kind === 'burnRate') expect(gate.pairs.map(({ then }) => then)).not.toContain('revert')
    if ('worst' in gate) expect(gate.worst).toBe('halt')
  }
})

function textOf(name: PresetName): string {
  return readFileSync(new URL(`../../src/policy/presets/${name}.yaml`, import.meta.url), 'utf8')
}

/** The plan of a workload with an SLI of errors, one of latencies and a probe, unless said otherwise. */
function planWith({ probes = PROBES, ...parts }: Readonly<Record<string, unknown>>): Plan {
  const config = {
    apiVersion: 'headgate/v1',
    migration: 'eks-1-33',
    clusters: { old: 'prod-a', new: 'prod-b' },
    sources: { metrics: { url: 'http://prometheus:9090' } },
    slis: SLIS,
    workloads: [{ name: 'checkout', traffic: { proxy: { socket: '/run/proxy.sock', backend: 'checkout' } }, probes }],
    ...parts,
  }
  const result = parseConfig(JSON.stringify(config), 'headgate.yaml', kinds, {})
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'))
  const [plan] = result.config.migrations[0].plans
  if (!plan) throw new Error('no plan')
  return plan
}
