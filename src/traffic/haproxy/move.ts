import type { Side, Sides } from '../../core/plan.ts'
import { Problem } from '../../core/problem.ts'
import type { WeightChange, WriteResult } from '../../ports/traffic.ts'
import { failed } from '../failure.ts'
import { firstToSet } from '../ratio.ts'
import { inexpressible } from '../weight.ts'
import { type Pair, weightsOf } from './pair.ts'
import type { Session } from './session.ts'
import type { HaproxySettings } from './settings.ts'
import { refused } from './state.ts'
import { nearestWeights, serverWeights } from './weights.ts'

/** The way of one pair from its weights now to those wanted. */
export interface Move {
  readonly targetId: string
  readonly settings: HaproxySettings
  readonly now: Sides<number>
  readonly next: Sides<number>
  /** In the order in which it is safe to set them. */
  readonly order: readonly [Side, Side]
}

/** Plans a change: TRAFFIC_WEIGHT for a weight that HAProxy cannot express, or why the pair is not known. */
export function planMove(change: WeightChange, pair: Pair | Problem): Move | Problem {
  if (pair instanceof Problem) return pair
  const { targetId, weightPercent } = change
  const next = serverWeights(weightPercent)
  if (next === null) return inexpressible('HAProxy', weightPercent, nearestWeights(weightPercent))
  const now = weightsOf(pair)
  const first = firstToSet(now, next)
  return { targetId, settings: pair.settings, now, next, order: [first, first === 'old' ? 'new' : 'old'] }
}

/**
 * Makes the moves in the order given. The second command of a pair goes out only when the first was taken: a refused
 * first one must not leave behind the half that sends more to NEW.
 */
export async function makeMoves(session: Session, moves: readonly Move[]): Promise<ReadonlyMap<string, WriteResult>> {
  const results = new Map<string, WriteResult>()
  const firstTaken = await setOneEach(session, moves, ({ order }) => order[0], results)
  const bothTaken = await setOneEach(session, firstTaken, ({ order }) => order[1], results)
  for (const { targetId } of bothTaken) results.set(targetId, { kind: 'applied' })
  return results
}

/** Sets one server of each pair; returns the moves that may go on, and puts the failures into `results`. */
async function setOneEach(
  session: Session,
  moves: readonly Move[],
  sideOf: (move: Move) => Side,
  results: Map<string, WriteResult>,
): Promise<readonly Move[]> {
  // A server that has its weight is left alone, so a repeated write changes nothing.
  const needed = moves.filter((move) => move.now[sideOf(move)] !== move.next[sideOf(move)])
  const answers = await session.ask(needed.map((move) => command(move, sideOf(move))))
  const refusals = new Map<Move, string>()
  for (const [index, move] of needed.entries()) {
    const answer = answers[index]
    if (answer !== undefined && answer !== '') refusals.set(move, answer)
  }
  for (const [move, answer] of refusals)
    results.set(move.targetId, failed(refused(`\`${command(move, sideOf(move))}\``, answer)))
  return moves.filter((move) => !refusals.has(move))
}

function command({ settings, next }: Move, side: Side): string {
  return `set server ${settings.backend}/${settings[side]} weight ${next[side]}`
}
