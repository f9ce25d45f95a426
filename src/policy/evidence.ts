import type { Allowance, DispersionLimits, LowTraffic } from '../core/plan.ts'
import type { Finding } from './finding.ts'
import type { PolicySettings } from './schema-policy.ts'

/** The numbers of a policy's tests, before a workload's objectives make margins of them. */
export interface ResolvedEvidence {
  readonly revert: Limit
  readonly halt: Limit
  readonly absolute: Limit
  /** Shares, 0 to 1. */
  readonly latencyMargin: number
  readonly probeMargin: number
  readonly bursts: DispersionLimits
  readonly proof: {
    readonly need: number
    readonly timesOld: number
    readonly plusBudgets: number
    readonly lowTraffic: { readonly afterSeconds: number; readonly then: LowTraffic }
  }
  /** Of 30 days' error budget. */
  readonly budget: { readonly haltPercent: number; readonly revertPercent: number }
}

/** An `Allowance` whose margin is still in error budgets, and whose α is still a whole workload's. */
export interface Limit extends Pick<Allowance, 'alpha'> {
  /** 0: OLD is not looked at. */
  readonly timesOld: number
  readonly plusBudgets: number
}

/** Takes a setting from the nearest layer of a policy that says it. */
export type PickSetting = <T>(read: (layer: PolicySettings) => T | undefined) => T

/** What a policy's layers say of its tests, key by key. */
export function resolveEvidence(pick: PickSetting): ResolvedEvidence {
  const against = (kind: 'revert' | 'halt'): Limit => ({
    timesOld: pick(({ evidence }) => evidence?.[kind]?.timesOld),
    plusBudgets: pick(({ evidence }) => evidence?.[kind]?.plusBudgets),
    alpha: pick(({ evidence }) => evidence?.[kind]?.falseAlarms) / 100,
  })
  return {
    revert: against('revert'),
    halt: against('halt'),
    absolute: {
      timesOld: 0,
      plusBudgets: pick(({ evidence }) => evidence?.absolute?.plusBudgets),
      alpha: pick(({ evidence }) => evidence?.absolute?.falseAlarms) / 100,
    },
    latencyMargin: pick(({ evidence }) => evidence?.latency?.plus) / 100,
    probeMargin: pick(({ evidence }) => evidence?.probes?.plus) / 100,
    bursts: {
      assumed: pick(({ evidence }) => evidence?.bursts?.assumed),
      max: pick(({ evidence }) => evidence?.bursts?.max),
    },
    proof: {
      need: pick(({ proof }) => proof?.need),
      timesOld: pick(({ proof }) => proof?.timesOld),
      plusBudgets: pick(({ proof }) => proof?.plusBudgets),
      lowTraffic: {
        afterSeconds: pick(({ proof }) => proof?.lowTraffic?.after),
        then: pick(({ proof }) => proof?.lowTraffic?.then),
      },
    },
    budget: {
      haltPercent: pick(({ budget }) => budget?.halt),
      revertPercent: pick(({ budget }) => budget?.revert),
    },
  }
}

/** Two settings of a policy that must stand in this order. */
interface Order {
  readonly least: Setting
  readonly most: Setting
  readonly hint: string
}

interface Setting {
  readonly path: string
  readonly value: number
  readonly unit: '' | '%'
  /** The policy says it itself. */
  readonly isOwn: boolean
}

/**
 * Where a milder consequence asks for more than a harsher one, it can never come first: such numbers were swapped, or
 * one was changed without the other. Told at the one that is the policy's own; where neither is, the parent's is told.
 */
export function evidenceFindings(
  name: string,
  resolved: ResolvedEvidence,
  own: PolicySettings | undefined,
): readonly Finding[] {
  return ordersOf(resolved, own).flatMap(({ least, most, hint }): Finding[] => {
    if (least.value <= most.value) return []
    const told = [least, most].find(({ isOwn }) => isOwn)
    if (!told) return []
    const other = told === least ? most : least
    return [
      {
        code: 'CONFIG_WRONG_VALUE',
        cause: `${written(told)} is ${told === least ? 'above' : 'below'} the ${written(other)} of \`${other.path}\``,
        hint,
        path: ['policies', name, ...told.path.split('.')],
      },
    ]
  })
}

function ordersOf(
  { revert, halt, absolute, bursts, budget }: ResolvedEvidence,
  own: PolicySettings | undefined,
): readonly Order[] {
  const said = own?.evidence
  const milder = 'a halt is the milder one: let it come at no more harm than a revert'
  return [
    {
      least: setting('evidence.halt.timesOld', halt.timesOld, said?.halt?.timesOld),
      most: setting('evidence.revert.timesOld', revert.timesOld, said?.revert?.timesOld),
      hint: milder,
    },
    {
      least: setting('evidence.halt.plusBudgets', halt.plusBudgets, said?.halt?.plusBudgets),
      most: setting('evidence.revert.plusBudgets', revert.plusBudgets, said?.revert?.plusBudgets),
      hint: milder,
    },
    {
      least: setting('evidence.revert.falseAlarms', revert.alpha * 100, said?.revert?.falseAlarms, '%'),
      most: setting('evidence.halt.falseAlarms', halt.alpha * 100, said?.halt?.falseAlarms, '%'),
      hint: 'a revert is the dearer one: let it be wrong no more often than a halt',
    },
    {
      least: setting('evidence.revert.plusBudgets', revert.plusBudgets, said?.revert?.plusBudgets),
      most: setting('evidence.absolute.plusBudgets', absolute.plusBudgets, said?.absolute?.plusBudgets),
      hint: 'what NEW may have beside a perfect OLD, it may have without OLD too: raise `absolute`, or lower `revert`',
    },
    {
      least: setting('evidence.bursts.assumed', bursts.assumed, said?.bursts?.assumed),
      most: setting('evidence.bursts.max', bursts.max, said?.bursts?.max),
      hint: 'assume no more than what is believed at most',
    },
    {
      least: setting('budget.halt', budget.haltPercent, own?.budget?.halt, '%'),
      most: setting('budget.revert', budget.revertPercent, own?.budget?.revert, '%'),
      hint: milder,
    },
  ]
}

function setting(path: string, value: number, own: number | undefined, unit: Setting['unit'] = ''): Setting {
  return { path, value, unit, isOwn: own !== undefined }
}

function written({ value, unit }: Setting): string {
  return `${Number(value.toPrecision(12))}${unit}`
}
