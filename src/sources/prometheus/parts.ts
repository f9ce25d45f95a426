import type { Missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import type { Sums } from '../counters.ts'
import type { Series } from './answer.ts'
import { type Fold, groupOf, noGroup, numberOf, severalSeries } from './fold.ts'
import type { GroupKeys } from './keys.ts'

/** So many series there is room for at first; whenever it is used up, for twice as many. */
const FIRST_ROOM = 1024
/** Stands for the place of a series that is not there. */
const NONE = 0xffffffff

/** The values of one moment by group, and in each by the value of one more label. */
export interface Parts {
  readonly groups: Iterable<string>
  /** undefined: there is no such group. */
  of(group: string): Sums | undefined
}

/**
 * Keeps the series of an answer whose groups have several, told apart by the label `within`. In columns: the buckets of a
 * fleet are hundreds of thousands of series, and a map of each group would be most of the memory.
 */
export function partsOf(labels: SliSpec['labels'], within: string, keys: GroupKeys): Fold<Parts> {
  const groups = new Map<string, number>()
  const columns = new Columns()
  const names: string[] = []
  const places = new Map<string, number>()
  let last: Series['metric'] = {}
  let group: number | null = null
  let isEmpty = true

  function add({ metric, points: [point] }: Series): void {
    // Series of a group most often follow each other: one key, then, is made for all of them.
    if (group === null || !isSameGroup(metric, last, labels)) {
      const key = groupOf(metric, labels, keys)
      if (key === null) return
      group = groups.get(key) ?? columns.addGroup()
      groups.set(key, group)
      last = metric
    }
    const name = metric[within]
    if (name === undefined || point === undefined) return
    let place = places.get(name)
    if (place === undefined) {
      place = names.push(name) - 1
      places.set(name, place)
    }
    columns.add(group, place, numberOf(point[1]))
  }

  function sumsOf(group: number): Sums {
    const sums = new Map<string, number | Missing>()
    for (const [place, value] of columns.of(group)) {
      const name = names[place] ?? ''
      sums.set(name, sums.has(name) ? severalSeries(labels) : value)
    }
    return sums
  }

  return {
    take(series) {
      if (series.length > 0) isEmpty = false
      for (const one of series) add(one)
    },
    end() {
      if (groups.size === 0 && !isEmpty) return noGroup(labels)
      return {
        groups: groups.keys(),
        of(key) {
          const place = groups.get(key)
          return place === undefined ? undefined : sumsOf(place)
        },
      }
    },
  }
}

function isSameGroup(a: Series['metric'], b: Series['metric'], { cluster, workload }: SliSpec['labels']): boolean {
  return a[cluster] === b[cluster] && a[workload] === b[workload]
}

/** Series with a name and a value each, as chains: from the first of a group to the next one. */
class Columns {
  private names = new Uint32Array(FIRST_ROOM)
  private values = new Float64Array(FIRST_ROOM)
  private nexts = new Uint32Array(FIRST_ROOM)
  private count = 0
  /** By group. */
  private readonly firsts: number[] = []
  private readonly lasts: number[] = []

  addGroup(): number {
    this.lasts.push(NONE)
    return this.firsts.push(NONE) - 1
  }

  add(group: number, name: number, value: number): void {
    if (this.count === this.names.length) this.grow()
    const place = this.count++
    this.names[place] = name
    this.values[place] = value
    this.nexts[place] = NONE
    const before = this.lasts[group] ?? NONE
    if (before === NONE) this.firsts[group] = place
    else this.nexts[before] = place
    this.lasts[group] = place
  }

  /** In the order in which they were added. */
  *of(group: number): Generator<readonly [name: number, value: number]> {
    for (let place = this.firsts[group] ?? NONE; place !== NONE; place = this.nexts[place] ?? NONE)
      yield [this.names[place] ?? NONE, this.values[place] ?? Number.NaN]
  }

  private grow(): void {
    const room = 2 * this.count
    const [names, values, nexts] = [new Uint32Array(room), new Float64Array(room), new Uint32Array(room)]
    names.set(this.names)
    values.set(this.values)
    nexts.set(this.nexts)
    this.names = names
    this.values = values
    this.nexts = nexts
  }
}
