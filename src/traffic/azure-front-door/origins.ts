import type { AFDOrigin, AFDOriginUpdateParameters } from '@azure/arm-cdn'
import { z } from 'zod'
import type { Side, Sides } from '../../core/plan.ts'
import { type Problem, problem } from '../../core/problem.ts'
import type { TrafficReading } from '../../ports/traffic.ts'
import { isSameName } from '../azure.ts'
import { badAzureAnswer } from '../azure-call.ts'
import { firstToSet, sharePercent } from '../ratio.ts'
import type { FrontDoorSettings } from './settings.ts'
import { MAX_WEIGHT, nextWeights } from './weights.ts'

// What an origin must have for us; the SDK hands on whatever came. The published examples have weights and priorities
// of null: such an origin was made without, and Front Door does not tell by which it goes.
const originShape = z.object({
  name: z.string(),
  enabledState: z.enum(['Enabled', 'Disabled']),
  weight: z.int().min(1).max(1000).nullish(),
  priority: z.int().min(1).max(5).nullish(),
  provisioningState: z.string(),
  deploymentStatus: z.string().nullish(),
})
type Origin = z.output<typeof originShape>
// What is wrong with somebody else's origin must not keep ours from being reverted.
const strangerShape = z.object({
  name: z.string(),
  enabledState: z.string().nullish(),
  priority: z.number().nullish(),
})
type Stranger = z.output<typeof strangerShape>

/** An origin group, seen as a split of two. */
export interface Split {
  readonly settings: FrontDoorSettings
  readonly sides: Sides<Origin>
  readonly others: readonly Stranger[]
}

/** Finds the two origins; TRAFFIC_NOT_FOUND, or TRAFFIC_BAD_ANSWER. */
export function splitOf(settings: FrontDoorSettings, origins: readonly AFDOrigin[]): Split | Problem {
  const all = z.array(strangerShape).safeParse(origins)
  if (!all.success) return badOrigin(settings, all.error)
  const find = (side: Side) => origins.find(({ name }) => name !== undefined && isSameName(name, settings[side]))
  const found = { old: find('old'), new: find('new') }
  if (found.old === undefined || found.new === undefined)
    return problem('TRAFFIC_NOT_FOUND', `${nameOf(settings)} has no origin ${settings[found.old ? 'new' : 'old']}`)
  const sides = z.object({ old: originShape, new: originShape }).safeParse(found)
  if (!sides.success) return badOrigin(settings, sides.error)
  const isOurs = ({ name }: Stranger) => isSameName(name, settings.old) || isSameName(name, settings.new)
  return { settings, sides: sides.data, others: all.data.filter((one) => !isOurs(one)) }
}

function badOrigin(settings: FrontDoorSettings, { issues }: z.ZodError): Problem {
  return badAzureAnswer(nameOf(settings), `with no origins (${issues[0]?.path.join('.')})`)
}

/** The weights that count: 0 for an origin that is disabled; null for an enabled one that came without. */
function weightsOf({ sides }: Split): Sides<number | null> {
  const effective = (origin: Origin) => (isEnabled(origin) ? (origin.weight ?? null) : 0)
  return { old: effective(sides.old), new: effective(sides.new) }
}

/** NEW's share, percent; null: both are disabled, or it hangs on a weight that is not known. */
function shareOf({ old, new: fresh }: Sides<number | null>): number | null {
  if (old === null || fresh === null) return fresh === 0 ? 0 : old === 0 ? 100 : null
  return sharePercent({ old, new: fresh })
}

/**
 * What Front Door was told, with what it still has to do. With NEW disabled that is 0 %, whatever else is wrong with
 * the group; else the weights must be what decides.
 */
export function readingOf(split: Split): TrafficReading | Problem {
  const { settings, sides } = split
  const weightPercent = shareOf(weightsOf(split))
  if (weightPercent === null && (isEnabled(sides.old) || isEnabled(sides.new)))
    return problem('TRAFFIC_WRONG_TYPE', `an origin of ${nameOf(settings)} has no weight of its own`, {
      hint: 'give both origins a weight',
    })
  if (weightPercent === null)
    return problem('TRAFFIC_REFUSED', `both origins of ${nameOf(settings)} are disabled`, {
      hint: 'enable the origin of OLD',
    })
  const why = weightPercent > 0 ? (weightPercent < 100 ? groupProblem(split) : thirdProblem(split)) : null
  if (why) return why
  const broken = [sides.old, sides.new].find(isFailed)
  if (broken)
    return problem('TRAFFIC_REFUSED', `Front Door could not deploy the last change of origin ${broken.name}`, {
      hint: 'see the activity log of the profile; Headgate writes it again when it next moves',
    })
  const busy = [sides.old, sides.new].find(isBusy)
  return {
    kind: 'weight',
    weightPercent,
    ...(busy && { pending: `Front Door still deploys origin ${busy.name}` }),
  }
}

/** Why weights between the two are not what decides in this group; null: they are. */
export function groupProblem(split: Split): Problem | null {
  const { settings, sides } = split
  const [old, fresh] = [sides.old.priority ?? 'none', sides.new.priority ?? 'none']
  if (old !== fresh)
    return problem(
      'TRAFFIC_UNEQUAL',
      `origin ${sides.old.name} of ${nameOf(settings)} has priority ${old}, ` +
        `${sides.new.name} has ${fresh}: the higher number gets nothing`,
      { hint: 'give both the same priority' },
    )
  return thirdProblem(split)
}

function thirdProblem({ settings, sides, others }: Split): Problem | null {
  const ours = [sides.old, sides.new].filter(isEnabled)
  // One of a higher number waits for the others to fail.
  const isReserve = (one: Stranger) => ours.every(({ priority }) => priority && one.priority && one.priority > priority)
  const third = others.find((one) => one.enabledState !== 'Disabled' && !isReserve(one))
  if (!third) return null
  return problem('TRAFFIC_WRONG_TYPE', `${nameOf(settings)} also sends traffic to origin ${third.name}`, {
    hint: 'disable it, give it a higher priority number, or give the two an origin group of their own',
  })
}

/** A change of one origin. */
export interface OriginChange {
  readonly origin: string
  readonly parameters: AFDOriginUpdateParameters
}

/**
 * The calls that bring the split to this share, in the order in which what lies between them is safe; none: it is
 * there. Most steps, and each way to 0 % with OLD enabled, need one.
 */
export function changesTo(weightPercent: number, split: Split): readonly OriginChange[] | Problem {
  // Disabling NEW is right whatever else the group does: a way down to 0 is never refused.
  const why = weightPercent > 0 ? groupProblem(split) : null
  if (why) return why
  const { sides } = split
  const now = weightsOf(split)
  const next = shareOf(now) === weightPercent ? now : nextFrom(now, weightPercent)
  const first = firstToSet(atMost(now), atMost(next))
  const order: readonly Side[] = [first, first === 'old' ? 'new' : 'old']
  return order
    .filter((side) => isFailed(sides[side]) || now[side] !== next[side])
    .map((side) => ({ origin: sides[side].name, parameters: parametersFor(next[side]) }))
}

/** There is no weight 0: whoever enables a disabled origin by hand starts with the least. null: it stays as it is. */
function parametersFor(weight: number | null): AFDOriginUpdateParameters {
  if (weight === null) return { enabledState: 'Enabled' }
  return { enabledState: weight === 0 ? 'Disabled' : 'Enabled', weight: Math.max(1, weight) }
}

/** A weight that is not known stays as it is on the way to 0 %, and is set else. */
function nextFrom({ old, new: fresh }: Sides<number | null>, weightPercent: number): Sides<number | null> {
  if (old !== null && fresh !== null) return nextWeights({ old, new: fresh }, weightPercent)
  return weightPercent === 0 && old !== 0 ? { old, new: 0 } : nextWeights({ old: 0, new: 0 }, weightPercent)
}

function atMost({ old, new: fresh }: Sides<number | null>): Sides<number> {
  return { old: old ?? MAX_WEIGHT, new: fresh ?? MAX_WEIGHT }
}

export function nameOf({ profile, originGroup }: FrontDoorSettings): string {
  return `origin group ${originGroup} of Front Door ${profile}`
}

function isEnabled({ enabledState }: Origin): boolean {
  return enabledState === 'Enabled'
}

function isFailed({ provisioningState, deploymentStatus }: Origin): boolean {
  return provisioningState === 'Failed' || deploymentStatus === 'Failed'
}

/**
 * Front Door leaves `deploymentStatus` at NotStarted for origins that have long been deployed: that alone says
 * nothing.
 */
function isBusy({ provisioningState, deploymentStatus }: Origin): boolean {
  return provisioningState !== 'Succeeded' || deploymentStatus === 'InProgress'
}
