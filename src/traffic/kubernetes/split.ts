import type { Side, Sides } from '../../core/plan.ts'
import type { JsonPatch } from './patch.ts'

/** Where a split is within its object. */
export interface Split {
  /** JSON pointer of the list of backends. */
  readonly pointer: string
  readonly sides: Sides<Backend>
}

/** One side of a split. */
export interface Backend {
  /** Its place in the list; null: it is not there, and to be added as `entry`. */
  readonly index: number | null
  /** As it counts, defaults filled in. */
  readonly weight: number
  /** As it is written there; null: it is not. */
  readonly writtenWeight: number | null
  /** The backend without its weight, as the list has them. */
  readonly entry: Readonly<Record<string, unknown>>
}

export function weightsOf({ sides }: Split): Sides<number> {
  return { old: sides.old.weight, new: sides.new.weight }
}

/** Weights that add up to 100 where whole percents will do, for the sake of readers, else to 1,000: each is exact. */
export function exactWeights(weightPercent: number): Sides<number> {
  const permille = Math.round(weightPercent * 10)
  return permille % 10 === 0
    ? { old: 100 - permille / 10, new: permille / 10 }
    : { old: 1000 - permille, new: permille }
}

/** The changes that give a split these weights, and touch nothing else; none where it has them. */
export function patchOf({ pointer, sides }: Split, weights: Sides<number>): JsonPatch {
  return (['old', 'new'] satisfies Side[]).flatMap((side): JsonPatch => {
    const { index, writtenWeight, entry } = sides[side]
    const weight = weights[side]
    if (index === null) return weight === 0 ? [] : [{ op: 'add', path: `${pointer}/-`, value: { ...entry, weight } }]
    if (writtenWeight === weight) return []
    return [{ op: writtenWeight === null ? 'add' : 'replace', path: `${pointer}/${index}/weight`, value: weight }]
  })
}
