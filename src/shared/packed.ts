/**
 * Numbers out of plain data, so that ten thousand states need not be ten thousand trees of small objects: the numbers of a
 * value in a row, and beside them its shape, which many values have in common. No key may be `__proto__`.
 */

/** What a value is without its numbers: plain data in which each number, and each null, is a zero. Strings stay. */
export interface Shape {
  /** As JSON: equal shapes have equal texts. */
  readonly text: string
  /** How many numbers a value of it has. */
  readonly size: number
  readonly root: Part
}

/** One part of a shape, ready to be gone along with a value. */
type Part =
  | { readonly kind: 'number' }
  /** A list of nothing but numbers. */
  | { readonly kind: 'numbers'; readonly count: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly parts: readonly Part[] }
  | { readonly kind: 'record'; readonly keys: readonly string[]; readonly parts: readonly Part[] }

/** Where numbers are written. */
type Row = Float64Array | number[]

/** A fleet's states have a few shapes at a time. */
const RECENT = 8

/** Stands for null: no number of plain data is it. As JSON it is null. */
const NULL = Number.NaN

const NUMBER: Part = { kind: 'number' }

/** Shapes, each made once. */
export class Shapes {
  private readonly byText = new Map<string, Shape>()
  /** Those that values had lately, the newest first. */
  private recent: readonly Shape[] = []
  private readonly scratch: number[] = []

  /** The shape of a value. Throws where there is anything else in it than records, lists, numbers, nulls and strings. */
  of(value: unknown): Shape {
    // To see whether a value has a shape is twenty times quicker than to make its text.
    const known = this.recent.find((shape) => pack(value, shape, this.scratch, 0))
    const shape = known ?? this.read(JSON.stringify(blank(value)))
    if (shape !== this.recent[0]) this.recent = [shape, ...this.recent.filter((one) => one !== shape)].slice(0, RECENT)
    return shape
  }

  /** The shape that this text tells. */
  read(text: string): Shape {
    let shape = this.byText.get(text)
    if (shape === undefined) {
      const root = partOf(JSON.parse(text))
      shape = { text, size: sizeOf(root), root }
      this.byText.set(text, shape)
    }
    return shape
  }
}

/** Writes a value's numbers into a row, from `at` on. False: the value has another shape, and the row is of no use. */
export function pack(value: unknown, { root, size }: Shape, row: Row, at: number): boolean {
  return packPart(value, root, row, at) === at + size
}

/** The value again. */
export function unpack({ root }: Shape, row: ArrayLike<number | null>, at: number): unknown {
  const place = { at }
  return unpackPart(root, row, place)
}

function blank(value: unknown): unknown {
  if (typeof value === 'number' || value === null) return 0
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(blank)
  if (typeof value !== 'object') throw new TypeError(`a ${typeof value} cannot be packed`)
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, blank(part)]))
}

function partOf(blanked: unknown): Part {
  if (typeof blanked === 'string') return { kind: 'text', text: blanked }
  if (Array.isArray(blanked)) {
    if (blanked.every((each) => each === 0)) return { kind: 'numbers', count: blanked.length }
    return { kind: 'list', parts: blanked.map(partOf) }
  }
  if (typeof blanked !== 'object' || blanked === null) return NUMBER
  return { kind: 'record', keys: Object.keys(blanked), parts: Object.values(blanked).map(partOf) }
}

function sizeOf(part: Part): number {
  switch (part.kind) {
    case 'number':
      return 1
    case 'numbers':
      return part.count
    case 'text':
      return 0
    case 'list':
    case 'record':
      return part.parts.reduce((sum, each) => sum + sizeOf(each), 0)
  }
}

/** Where the next number goes; not a number: it has another shape. */
function packPart(value: unknown, part: Part, row: Row, at: number): number {
  switch (part.kind) {
    case 'number':
      if (typeof value === 'number') row[at] = value
      else if (value === null) row[at] = NULL
      else return Number.NaN
      return at + 1
    case 'numbers':
      return Array.isArray(value) ? packNumbers(value, part.count, row, at) : Number.NaN
    case 'text':
      return value === part.text ? at : Number.NaN
    case 'list':
      return Array.isArray(value) ? packList(value, part.parts, row, at) : Number.NaN
    case 'record':
      return isRecord(value) ? packRecord(value, part, row, at) : Number.NaN
  }
}

function packNumbers(list: readonly unknown[], count: number, row: Row, from: number): number {
  if (list.length !== count) return Number.NaN
  for (let index = 0; index < count; index++) {
    const value = list[index]
    if (typeof value === 'number') row[from + index] = value
    else if (value === null) row[from + index] = NULL
    else return Number.NaN
  }
  return from + count
}

function packList(list: readonly unknown[], parts: readonly Part[], row: Row, from: number): number {
  if (list.length !== parts.length) return Number.NaN
  let at = from
  for (let index = 0; index < list.length; index++) at = packPart(list[index], parts[index] as Part, row, at)
  return at
}

function packRecord(
  record: Readonly<Record<string, unknown>>,
  { keys, parts }: Extract<Part, { kind: 'record' }>,
  row: Row,
  from: number,
): number {
  let at = from
  let index = 0
  for (const key in record) {
    if (key !== keys[index]) return Number.NaN
    at = packPart(record[key], parts[index] as Part, row, at)
    index += 1
  }
  return index === keys.length ? at : Number.NaN
}

function unpackPart(part: Part, row: ArrayLike<number | null>, place: { at: number }): unknown {
  switch (part.kind) {
    case 'number':
      place.at += 1
      return numberAt(row, place.at - 1)
    case 'numbers': {
      const numbers: (number | null)[] = []
      for (let index = 0; index < part.count; index++) numbers.push(numberAt(row, place.at + index))
      place.at += part.count
      return numbers
    }
    case 'text':
      return part.text
    case 'list':
      return part.parts.map((each) => unpackPart(each, row, place))
    case 'record': {
      const record: Record<string, unknown> = {}
      for (let index = 0; index < part.keys.length; index++)
        record[part.keys[index] as string] = unpackPart(part.parts[index] as Part, row, place)
      return record
    }
  }
}

function numberAt(row: ArrayLike<number | null>, at: number): number | null {
  const number = row[at] as number | null
  return number === null || Number.isNaN(number) ? null : number
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
