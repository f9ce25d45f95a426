import { type Missing, missing } from '../../core/observation.ts'
import { groupKey } from '../../ports/source.ts'
import { clause } from '../../shared/text.ts'
import type { Sums } from '../counters.ts'
import { find, type JSONValue } from './jsonpath.ts'
import type { HttpJsonSettings } from './settings.ts'

type Paths = Pick<HttpJsonSettings, 'rows' | 'cluster' | 'workload' | 'value' | 'error'>

/** The values of an answer's rows, by group. Rows without a cluster or a workload belong to no group. */
export function readRows(text: string, paths: Paths, secrets: readonly string[]): Sums | Missing {
  const answer = parse(text)
  if (answer === undefined) return missing('bad-answer', 'the answer is no JSON')
  // An answer may say that it is none, and carry an empty list beside: that list is not "nothing bad".
  const [said] = paths.error === undefined ? [] : (find(paths.error, answer) ?? [])
  if (said !== undefined && said !== null)
    return missing('refused', clause(typeof said === 'string' ? said : JSON.stringify(said), secrets))
  const lists = find(paths.rows, answer)
  if (lists === null) return missing('bad-answer', 'the answer nests too deep')
  if (lists.length === 0 || !lists.every((list) => Array.isArray(list)))
    return missing('bad-answer', `the answer has no list of rows at ${paths.rows}`)
  return sumsOf(lists.flat(), paths)
}

function sumsOf(rows: readonly JSONValue[], paths: Paths): Sums | Missing {
  const sums = new Map<string, number | Missing>()
  let [hasGroup, hasValue] = [false, false]
  for (const row of rows) {
    const [cluster, workload] = [nameOf(only(paths.cluster, row)), nameOf(only(paths.workload, row))]
    if (cluster === null || workload === null) continue
    hasGroup = true
    const value = only(paths.value, row)
    if (value === undefined) continue
    hasValue = true
    if (value === null) continue
    const key = groupKey(cluster, workload)
    sums.set(key, sums.has(key) ? missing('bad-answer', 'several rows for one workload') : numberOf(value))
  }
  if (rows.length > 0 && !hasGroup)
    return missing('bad-answer', `no row has both, ${paths.cluster} and ${paths.workload}`)
  if (hasGroup && !hasValue) return missing('bad-answer', `no row has ${paths.value}`)
  return sums
}

/** undefined: the path finds nothing, or several. */
function only(path: string, row: JSONValue): JSONValue | undefined {
  const found = find(path, row)
  return found?.length === 1 ? found[0] : undefined
}

function nameOf(value: JSONValue | undefined): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : null
}

/** Some write numbers as texts. */
function numberOf(value: JSONValue): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
}

function parse(text: string): JSONValue | undefined {
  try {
    const value: JSONValue = JSON.parse(text)
    return value
  } catch {
    // Told as a bad answer.
    return undefined
  }
}
