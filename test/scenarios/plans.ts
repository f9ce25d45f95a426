import type { CheckId } from '../../src/core/check.ts'
import type {
  BudgetGate,
  Gate,
  HarmGate,
  LatencyGate,
  LowTraffic,
  Plan,
  PlanTarget,
  ProofGate,
  SliSpec,
  Trial,
} from '../../src/core/plan.ts'
import type { Hook, HookPoint } from '../../src/core/task.ts'
import { PLAIN_PLAN } from '../support/plain.ts'

/** Buckets of the worlds' latency SLI, seconds. */
export const BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const
export const SLOWER_THAN_SECONDS = 0.5

type Given = Readonly<Record<string, string>>

const OBJECTIVE_PERCENT = 99
const BUDGET = 1 - OBJECTIVE_PERCENT / 100
/** Events that come one by one, as these worlds make them. */
const DISPERSION = { assumed: 1, max: 50 } as const
/** Harm and latency gates of one workload share the error bound. */
const SHARED_BY = { withoutLatency: 1, withLatency: 3 } as const

/**
 * `steps=marked/20,mirror10/20,10/20,10w/20,50/20!lead,100/20` (weight or trial/holdSeconds, `w` warms, `!` needs approval, of a role),
 *, `gates=all` (the tests beside the burn rate),
 * `latency=yes` (an SLI with buckets), `probe=yes`, `low=wait|probes|person` after `lowAfter` seconds, and single
 * settings by their plan names.
 */
export function planOf(given: Given): Plan {
  const number = (key: string, usual: number) => (given[key] === undefined ? usual : Number(given[key]))
  const hasProbe = given['probe'] === 'yes'
  const slis = slisOf(given)
  return {
    hash: 'plan1',
    migration: 'm',
    workload: 'checkout',
    clusters: { old: 'blue', new: 'green' },
    policy: 'test',
    after: given['after'] ? [given['after']] : [],
    steps: stepsOf(given),
    safeWeightPercent: number('safe', 0),
    bakeSeconds: number('bake', 60),
    drainSeconds: number('drain', 0),
    minRequests: number('minRequests', 100),
    blindAfterSeconds: number('blindAfter', 60),
    drift: given['drift'] === 'correct' ? 'correct' : 'hold',
    shareTolerancePercent: given['share'] === 'off' ? null : number('share', 5),
    stuckAfterSeconds: number('stuckAfter', 300),
    gates: [...slis.flatMap(({ name }) => sliGates(name, given)), ...(hasProbe ? probeGates(given) : [])],
    targets: [
      target('lb', 'split', {
        propagationSeconds: number('settle', 0),
        movingTtlSeconds: given['ttl'] === undefined ? null : number('ttl', 0),
      }),
      ...(given['boomerang'] === 'yes'
        ? [target('gateway', 'boomerang', { propagationSeconds: 0, movingTtlSeconds: null })]
        : []),
    ],
    slis,
    probes: hasProbe
      ? [
          {
            name: 'health',
            url: 'http://x/',
            method: 'GET',
            address: { old: null, new: 'x' },
            expectStatus: [200],
            expectBody: null,
            slowerThanSeconds: 5,
            certificateDays: null,
            allowAddresses: [],
          },
        ]
      : [],
    ...PLAIN_PLAN,
    ...wayOf(given),
  }
}

/** `checks=parity,objects`, `hooks=after-step:hold,preflight:revert`, `capacity=25` (headroom), `scale=up`, `down=0!`. */
function wayOf(given: Given): Partial<Plan> {
  const list = (key: string) => given[key]?.split(',') ?? []
  const object = { kind: 'Deployment', namespace: 'shop', name: 'checkout' } as const
  const down = given['down']
  return {
    checks: list('checks').map((id) => ({ id: id as CheckId, then: 'hold' })),
    hooks: list('hooks').map((text): Hook => {
      const [at, then] = text.split(':')
      const task = {
        kind: 'http',
        url: 'http://hooks/',
        signingKey: null,
        expectStatus: [200],
        expectBody: null,
        timeoutSeconds: 5,
        allowAddresses: [],
      } as const
      return {
        id: 'tests',
        at: at as HookPoint,
        weightsPercent: null,
        task,
        tries: 1,
        deadlineSeconds: 60,
        then: then as 'hold',
      }
    }),
    ...(given['capacity'] !== undefined && {
      objects: { old: object, new: object },
      capacity: {
        fullReplicas: null,
        headroomPercent: Number(given['capacity']),
        scale: given['scale'] === 'up' ? 'up' : 'off',
        oldAfterwards:
          down === undefined ? null : { replicas: Number.parseInt(down, 10), approval: down.endsWith('!') },
      },
    }),
  }
}

function target(
  id: string,
  role: PlanTarget['role'],
  timing: Pick<PlanTarget, 'propagationSeconds' | 'movingTtlSeconds'>,
): PlanTarget {
  return { id, role, kind: 'fake', scope: 'fake', settings: {}, ...timing }
}

function stepsOf(given: Given): Plan['steps'] {
  return (given['steps'] ?? '10/30,50/30,100/30').split(',').map((text) => {
    const [, what = '', hold, mark, role] = /^([\d.]+w?|marked|mirror[\d.]+)\/(\d+)(!?)([a-z]*)$/.exec(text) ?? []
    const trial = trialOf(what)
    const weightPercent = trial === null ? Number.parseFloat(what) : 0
    const warm = what.endsWith('w')
      ? ({ kind: 'warm', requests: 10, perSecond: 1, passPercent: 99, probes: [] } as const)
      : null
    const approval = mark === '!' ? { roles: role ? [role] : [], expiresSeconds: role ? 60 : null } : null
    return { weightPercent, trial, warm, holdSeconds: Number(hold), approval }
  })
}

function trialOf(text: string): Trial | null {
  if (text === 'marked') return { kind: 'marked' }
  return text.startsWith('mirror') ? { kind: 'mirror', percent: Number(text.slice('mirror'.length)) } : null
}

function slisOf(given: Given): readonly SliSpec[] {
  if (given['sli'] === 'no') return []
  const common = {
    source: 'fake',
    objectivePercent: OBJECTIVE_PERCENT,
    labels: { cluster: 'cluster', workload: 'service' },
  }
  const availability: SliSpec = {
    ...common,
    name: 'availability',
    measure: { kind: 'selector', total: 'a', bad: 'b' },
  }
  const latency: SliSpec = {
    ...common,
    name: 'latency',
    measure: { kind: 'histogram', metric: 'h', slowerThanSeconds: SLOWER_THAN_SECONDS },
  }
  return given['latency'] === 'yes' ? [availability, latency] : [availability]
}

function sliGates(sli: string, given: Given): readonly Gate[] {
  const burn: Gate = {
    kind: 'burnRate',
    id: `burnRate/${sli}`,
    sli,
    pairs: [
      { longSeconds: 300, shortSeconds: 60, factor: 14.4, then: worstOf(given) },
      { longSeconds: 300, shortSeconds: 60, factor: 6, then: 'halt' },
    ],
  }
  if (given['gates'] !== 'all') return [burn]
  const tests = [harmGate(`harm/${sli}`, { sli }, given), proofGate(sli, given), budgetGate(sli, given)]
  return sli === 'latency' ? [burn, ...tests, latencyGate(given)] : [burn, ...tests]
}

function probeGates(given: Given): readonly Gate[] {
  const gate: Gate = { kind: 'probe', id: 'probe/health', probe: 'health', failures: 3, passes: 3, then: 'revert' }
  if (given['gates'] !== 'all') return [gate]
  const harm = harmGate('harm/probe/health', { probe: 'health' }, given)
  const margins = { revert: 0.05, halt: 0.025, absolute: 0.1 }
  return [
    gate,
    {
      ...harm,
      revert: { ...harm.revert, margin: margins.revert },
      halt: { ...harm.halt, margin: margins.halt },
      absolute: { ...harm.absolute, margin: margins.absolute },
    },
  ]
}

export function harmGate(id: string, of: HarmGate['of'], given: Given): HarmGate {
  const share = alphaShare(given)
  return {
    kind: 'harm',
    id,
    of,
    worst: worstOf(given),
    revert: { ratio: 1.5, margin: BUDGET, alpha: 0.001 * share },
    halt: { ratio: 1, margin: BUDGET / 2, alpha: 0.01 * share },
    absolute: { ratio: 0, margin: 2 * BUDGET, alpha: 0.01 * share },
    dispersion: DISPERSION,
  }
}

export function latencyGate(given: Given): LatencyGate {
  const share = alphaShare(given)
  return {
    kind: 'latency',
    id: 'latency/latency',
    sli: 'latency',
    worst: given['slow'] === 'revert' ? 'revert' : 'halt',
    margin: 0.0025,
    alpha: { halt: 0.01 * share, revert: 0.001 * share },
    dispersion: DISPERSION,
  }
}

export function proofGate(sli: string, given: Given): ProofGate {
  return {
    kind: 'proof',
    id: `proof/${sli}`,
    sli,
    ratio: 1.5,
    margin: BUDGET,
    need: 10,
    lowTraffic: { afterSeconds: Number(given['lowAfter'] ?? 120), then: (given['low'] ?? 'wait') as LowTraffic },
    dispersion: DISPERSION,
  }
}

export function budgetGate(sli: string, given: Given): BudgetGate {
  return {
    kind: 'budget',
    id: `budget/${sli}`,
    sli,
    worst: worstOf(given),
    haltPercent: Number(given['budgetHalt'] ?? 1),
    revertPercent: Number(given['budgetRevert'] ?? 2),
  }
}

function alphaShare(given: Given): number {
  const probes = given['probe'] === 'yes' ? 1 : 0
  return 1 / ((given['latency'] === 'yes' ? SHARED_BY.withLatency : SHARED_BY.withoutLatency) + probes)
}

function worstOf(given: Given): 'halt' | 'revert' {
  return given['worst'] === 'halt' ? 'halt' : 'revert'
}
