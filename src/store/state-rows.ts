import { createHash } from 'node:crypto'
import { partsOf, type RolloutState, type Standing, type Tally } from '../core/state.ts'
import { pack, type Shape, Shapes, unpack } from '../shared/packed.ts'
import { filledState } from './fill.ts'
import { damaged, json, type Row, textOrNull } from './rows.ts'

/** What changes at each step of a rollout under way, whatever comes of it: in the store it stands apart from the rest. */
type Accumulated = Tally & Pick<RolloutState, 'lastStepMs' | 'heldMs' | 'settledMs'>

/** A state as the store has it. */
export interface StateRow {
  /** JSON of all that a step most often leaves as it was. */
  readonly standing: string
  /** The hash of its shape, a space, and the numbers of what is accumulated, as a list of JSON. */
  readonly tally: string
}

/** A text that many rows name by its hash. */
export interface ShapeRow {
  readonly hash: string
  readonly shape: string
}

/**
 * Writes states into rows and reads them. Of a rollout under way two thirds of its JSON would be names, the same for many,
 * and each sweep would write them: here a tally is its numbers, and its names are a shape, written once.
 */
export class StateRows {
  private readonly shapes = new Shapes()
  private readonly hashes = new Map<Shape, string>()
  private readonly byHash = new Map<string, Shape>()
  /** By workload: it keeps its shape over many steps. */
  private readonly newest = new Map<string, Shape>()

  write(state: RolloutState): StateRow & { readonly shape: ShapeRow } {
    const { standing: all, tally } = partsOf(state)
    const { lastStepMs, heldMs, settledMs, ...standing } = all
    const accumulated: Accumulated = { ...tally, lastStepMs, heldMs, settledMs }
    const { shape, numbers } = this.packed(state.workload, accumulated)
    const hash = this.hashOf(shape)
    return {
      standing: JSON.stringify(standing),
      tally: `${hash} ${JSON.stringify(numbers)}`,
      shape: { hash, shape: shape.text },
    }
  }

  /** Throws STORE_UNAVAILABLE for what no Headgate has written. `shapeOf` gives the text of a shape; null: it is not there. */
  read(row: Row, shapeOf: (hash: string) => string | null): RolloutState {
    const state = json<RolloutState>(row, 'state', 'workload', 'workload')
    const tally = textOrNull(row, 'tally')
    if (tally !== null) return filledState({ ...state, ...this.unpacked(tally, shapeOf) })
    // A row of a Headgate that wrote a state as a whole.
    if (!('evidence' in state)) throw damaged('tally', `is not there for ${String(row['workload'])}`)
    return filledState(state)
  }

  /** What is known of a rollout without its tally. */
  readStanding(row: Row): Pick<Standing, 'runId' | 'planHash'> {
    return json<RolloutState>(row, 'state', 'workload', 'workload')
  }

  private packed(workload: string, accumulated: Accumulated) {
    const before = this.newest.get(workload)
    const numbers: number[] = []
    if (before !== undefined && pack(accumulated, before, numbers, 0)) return { shape: before, numbers }
    const shape = this.shapes.of(accumulated)
    this.newest.set(workload, shape)
    const fresh: number[] = []
    pack(accumulated, shape, fresh, 0)
    return { shape, numbers: fresh }
  }

  private unpacked(tally: string, shapeOf: (hash: string) => string | null): Accumulated {
    const hash = shapeHashOf(tally)
    const known = this.byHash.get(hash)
    const text = known ? known.text : shapeOf(hash)
    if (text === null) throw damaged('tally', `names the shape ${hash}, which is not there`)
    const shape = known ?? this.shapes.read(text)
    this.byHash.set(hash, shape)
    const numbers = numbersIn(tally.slice(hash.length + 1))
    if (numbers.length !== shape.size) throw damaged('tally', `has ${numbers.length} numbers, not ${shape.size}`)
    return unpack(shape, numbers, 0) as Accumulated
  }

  private hashOf(shape: Shape): string {
    const known = this.hashes.get(shape)
    if (known !== undefined) return known
    const hash = createHash('sha256').update(shape.text).digest('hex').slice(0, 16)
    this.hashes.set(shape, hash)
    return hash
  }
}

/** The hash of the shape that a tally names. */
export function shapeHashOf(tally: string): string {
  return tally.slice(0, tally.indexOf(' '))
}

function numbersIn(text: string): readonly (number | null)[] {
  try {
    const numbers: unknown = JSON.parse(text)
    if (Array.isArray(numbers) && numbers.every((one) => typeof one === 'number' || one === null)) return numbers
  } catch (error) {
    throw damaged('tally', 'is no JSON', error)
  }
  throw damaged('tally', 'is no list of numbers')
}
