/** Headgate's own deciders, and in which runs each is asked. */
import type { Begin } from './decider.ts'
import { Headgate } from './headgate.ts'
import { AVAILABILITY, LATENCY, planFor } from './plan.ts'
import { NAMES, type Scenario } from './scenarios.ts'

export interface OurDecider {
  readonly name: string
  readonly begin: Begin
}

/** The whole of it: an availability and a latency SLI, which share the false alarms. */
export const HEADGATE = 'Headgate'
/** The same without the latency SLI, so that one test has all of them. */
export const ALONE = 'Headgate, availability alone'
/** What its false alarms are multiplied by for the picture. */
export const ALPHA_TIMES = [0.01, 0.1, 10, 100] as const

export function sweptName(times: number): string {
  return `Headgate: false alarms × ${times}`
}

const WHOLE: OurDecider = deciderOf(HEADGATE, [AVAILABILITY, LATENCY], 1)
const ONE_SLI: OurDecider = deciderOf(ALONE, [AVAILABILITY], 1)
const SWEPT = ALPHA_TIMES.map((times) => deciderOf(sweptName(times), [AVAILABILITY, LATENCY], times))

/** The picture needs fewer runs than the tables. */
const SWEPT_EVERY = 5

/** Who of ours is asked about this run. */
export function ours({ kind, name, isOfIssue }: Scenario, seed: number): readonly OurDecider[] {
  const isErrorStep = name === NAMES.headline || name === NAMES.unknownTick
  const isSwept = name === NAMES.headline || (kind === 'healthy' && isOfIssue && seed % SWEPT_EVERY === 0)
  return [WHOLE, ...(isErrorStep ? [ONE_SLI] : []), ...(isSwept ? SWEPT : [])]
}

function deciderOf(name: string, slis: Parameters<typeof planFor>[0], alphaTimes: number): OurDecider {
  const plan = planFor(slis, alphaTimes)
  return {
    name,
    begin: (world) => {
      const headgate = new Headgate(world, plan)
      return (_, tick) => headgate.look(tick).say
    },
  }
}
