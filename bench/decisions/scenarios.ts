/** What may happen in a rollout: the scenarios, by name. */

/** NEW's fault. It begins when the workload gets a weight, or at any tick of that step. */
export interface Fault {
  readonly weightPercent: number
  readonly begins: 'with the weight' | 'in mid-step'
  /** NEW's share of bad requests so many ticks after the fault began, in [0, 1]; null: only latency suffers. */
  readonly badShare: ((ticks: number) => number) | null
  /** NEW's latencies: what their median and their 99th percentile are multiplied by. */
  readonly slower: { readonly p50: number; readonly p99: number } | null
}

/** What happens to the measurements. */
export type Trouble = 'gap' | 'resets' | 'late samples'

export interface Scenario {
  readonly name: string
  /** `healthy`: any revert or halt is false. `shared`: both clusters suffer, so that a revert is false. */
  readonly kind: 'healthy' | 'shared' | 'fault'
  /** False: an honest extra that the targets do not look at. */
  readonly isOfIssue: boolean
  readonly requestsPerSecond: number
  /** Both clusters' share of bad requests while nothing is wrong. */
  readonly badShare: number
  /** Mean size of a burst of bad requests; 1: each comes by itself. */
  readonly burst: number
  /** Traffic and bad share swing over the day. */
  readonly isDiurnal: boolean
  /** For so many ticks, at a time of their own, both clusters have so many times the bad share. */
  readonly shock: { readonly times: number; readonly ticks: number } | null
  readonly trouble: Trouble | null
  readonly fault: Fault | null
}

/** The error budget of the availability SLI: 99.9 %. */
export const BUDGET = 0.001
export const CALM_BAD_SHARE = 0.0005
const USUAL = CALM_BAD_SHARE

const CALM: Omit<Scenario, 'name'> = {
  kind: 'healthy',
  isOfIssue: true,
  requestsPerSecond: 200,
  badShare: USUAL,
  burst: 1,
  isDiurnal: false,
  shock: null,
  trouble: null,
  fault: null,
}

const HEALTHY: readonly Scenario[] = [
  { ...CALM, name: 'healthy' },
  { ...CALM, name: 'healthy at the budget', badShare: BUDGET },
  { ...CALM, name: 'healthy bursty', burst: 5 },
  { ...CALM, name: 'healthy 1 request/s', requestsPerSecond: 1 },
  { ...CALM, name: 'healthy 10 requests/s', requestsPerSecond: 10 },
  { ...CALM, name: 'diurnal', isDiurnal: true },
  { ...CALM, name: 'metric gap', trouble: 'gap' },
  { ...CALM, name: 'counter reset', trouble: 'resets' },
  { ...CALM, name: 'late samples', trouble: 'late samples' },
  { ...CALM, name: 'healthy 20 requests/s', requestsPerSecond: 20, isOfIssue: false },
  { ...CALM, name: 'bursty 10 requests/s', requestsPerSecond: 10, burst: 5, isOfIssue: false },
]

const SHARED: Scenario = { ...CALM, name: 'shared shock', kind: 'shared', shock: { times: 20, ticks: 10 } }

const BAD_SHARES = [0.002, 0.003, 0.01, 0.05] as const
const FAULT_WEIGHTS = [5, 50, 90] as const
const SLOWER = { p50: 2, p99: 2 } as const

const FAULTS: readonly Scenario[] = [
  ...FAULT_WEIGHTS.flatMap((weightPercent) => BAD_SHARES.map((share) => errorStep(weightPercent, share))),
  fault('ramp to 0.3 % at 25 %', {
    weightPercent: 25,
    begins: 'with the weight',
    badShare: (ticks) => USUAL + (0.003 - USUAL) * Math.min(1, (ticks + 1) / 40),
    slower: null,
  }),
  fault('flapping 1 % at 10 %', {
    weightPercent: 10,
    begins: 'with the weight',
    badShare: (ticks) => (ticks % 10 < 2 ? 0.01 : USUAL),
    slower: null,
  }),
  fault('p99 × 2 at 5 %', { weightPercent: 5, begins: 'with the weight', badShare: null, slower: SLOWER }),
  ...BAD_SHARES.map((share) => extra(errorStep(5, share, 'in mid-step'))),
  extra(fault('p99 × 2 in mid-step', { weightPercent: 5, begins: 'in mid-step', badShare: null, slower: SLOWER })),
  extra(
    fault('p99 × 2, median as before', {
      weightPercent: 5,
      begins: 'with the weight',
      badShare: null,
      slower: { p50: 1, p99: 2 },
    }),
  ),
  extra({ ...errorStep(5, 0.01), name: 'errors 1 % at 5 %, bursty', burst: 5 }),
]

export const SCENARIOS: readonly Scenario[] = [...HEALTHY, SHARED, ...FAULTS]

/** The one that the issue holds Headgate to, and the others that targets are taken from. */
export const NAMES = {
  healthy: 'healthy',
  bursty: 'healthy bursty',
  headline: 'errors 1 % at 5 %',
  unknownTick: 'errors 1 % at 5 %, in mid-step',
  slower: 'p99 × 2 at 5 %',
  shared: SHARED.name,
} as const

function fault(name: string, what: Fault): Scenario {
  return { ...CALM, name, kind: 'fault', fault: what }
}

function errorStep(weightPercent: number, share: number, begins: Fault['begins'] = 'with the weight'): Scenario {
  const name = `errors ${Number((share * 100).toFixed(3))} % at ${weightPercent} %`
  return fault(begins === 'in mid-step' ? `${name}, in mid-step` : name, {
    weightPercent,
    begins,
    badShare: () => share,
    slower: null,
  })
}

function extra(scenario: Scenario): Scenario {
  return { ...scenario, isOfIssue: false }
}
