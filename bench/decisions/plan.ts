/** The plan that Headgate decides by here: the preset `standard` as a config gets it, on the benchmark's schedule. */
import type { Gate, Plan } from '../../src/core/plan.ts'
import { channelKinds } from '../../src/notify/registry.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { sourceKinds } from '../../src/sources/registry.ts'
import { trafficKinds } from '../../src/traffic/registry.ts'
import { PLAIN_STEP } from '../../test/support/plain.ts'
import { BOUNDS_SECONDS, SLOW_BUDGET, SLOW_INDEX } from './latency.ts'
import { BUDGET } from './scenarios.ts'
import { TICK_SECONDS, TICKS_A_STAGE, WEIGHTS_PERCENT } from './schedule.ts'

export const AVAILABILITY = 'availability'
export const LATENCY = 'latency'
/** A third SLI, for what a decision costs: the same counts as availability. */
export const WRITES = 'writes'
export type SliName = typeof AVAILABILITY | typeof LATENCY | typeof WRITES

const SLIS: Readonly<Record<SliName, object>> = {
  [AVAILABILITY]: counted(BUDGET),
  [LATENCY]: {
    objective: `${100 * (1 - SLOW_BUDGET)}%`,
    histogram: 'http_request_duration_seconds',
    slowerThan: `${1000 * (BOUNDS_SECONDS[SLOW_INDEX] ?? 0)}ms`,
  },
  [WRITES]: counted(BUDGET),
}

/**
 * A plan with all gates of these SLIs, which share the false alarms.
 * @param alphaTimes what the false alarms of the preset are multiplied by
 */
export function planFor(slis: readonly SliName[], alphaTimes = 1): Plan {
  const config = {
    apiVersion: 'headgate/v1',
    migration: 'benchmark',
    clusters: { old: 'old', new: 'new' },
    sources: { prometheus: { url: 'http://127.0.0.1:9090' } },
    slis: Object.fromEntries(slis.map((name) => [name, SLIS[name]])),
    policy: 'standard',
    workloads: [
      {
        name: 'workload',
        traffic: { haproxy: { socket: '/run/haproxy.sock', backend: 'be_workload', old: 'blue', new: 'green' } },
      },
    ],
  }
  // JSON is YAML.
  const result = parseConfig(
    JSON.stringify(config),
    'benchmark',
    { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds },
    {},
  )
  const plan = result.ok ? result.config.migrations[0].plans[0] : undefined
  if (!plan) throw new Error(`the benchmark's config is refused: ${JSON.stringify(result)}`)
  const holdSeconds = TICKS_A_STAGE * TICK_SECONDS
  return {
    ...plan,
    steps: WEIGHTS_PERCENT.map((weightPercent) => ({ weightPercent, holdSeconds, ...PLAIN_STEP })),
    bakeSeconds: holdSeconds,
    // Weights are the simulator's here, so there is nothing to read them from.
    targets: [],
    gates: plan.gates.map((gate) => withFalseAlarms(gate, alphaTimes)),
  }
}

/** The windows that its burn rates ask for, seconds. */
export function windowsOf(plan: Plan): readonly number[] {
  const pairs = plan.gates.flatMap((gate) => (gate.kind === 'burnRate' ? gate.pairs : []))
  return [...new Set(pairs.flatMap(({ longSeconds, shortSeconds }) => [longSeconds, shortSeconds]))]
}

function withFalseAlarms(gate: Gate, times: number): Gate {
  const more = <T extends { readonly alpha: number }>(limit: T): T => ({ ...limit, alpha: limit.alpha * times })
  switch (gate.kind) {
    case 'harm':
      return { ...gate, revert: more(gate.revert), halt: more(gate.halt), absolute: more(gate.absolute) }
    case 'latency':
      return { ...gate, alpha: { halt: gate.alpha.halt * times, revert: gate.alpha.revert * times } }
    default:
      return gate
  }
}

function counted(budget: number): object {
  return {
    objective: `${100 * (1 - budget)}%`,
    total: 'http_requests_total',
    bad: 'http_requests_total{code=~"5.."}',
  }
}
