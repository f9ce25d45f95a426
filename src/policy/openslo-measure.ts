import type { SliMeasure } from '../core/plan.ts'
import { type Matcher, type Selector, selectorText } from '../shared/promql/selector.ts'
import type { FileFinding } from './files.ts'
import { below, isRefused, isThere, type Part, refused, textOf } from './openslo-part.ts'
import { type CountedBy, counterOfQuery } from './openslo-query.ts'

interface Read extends CountedBy {
  readonly at: Part
}

/** What an indicator's `spec` counts, or why Headgate cannot. `documents` are all of its file. */
export function measureOf(spec: Part, documents: readonly Part[]): SliMeasure | FileFinding {
  const refusal = refusalOf(spec)
  if (refusal) return refusal
  const metric = below(spec, 'ratioMetric')
  const total = counterAt(below(metric, 'total'), metric, documents)
  if (isRefused(total)) return total
  const partIs = isThere(below(metric, 'bad')) ? 'bad' : 'good'
  const part = counterAt(below(metric, partIs), metric, documents)
  if (isRefused(part)) return part
  if (part.call !== total.call)
    return refused(
      part.at,
      'CONFIG_WRONG_VALUE',
      `\`${partIs}\` is ${wordOf(part)}, and \`total\` is ${wordOf(total)}`,
      'use the same function in both: else their ratio is none',
    )
  if (selectorText(part.counter) === selectorText(total.counter))
    return refused(
      part.at,
      'CONFIG_WRONG_VALUE',
      `\`${partIs}\` and \`total\` count the same`,
      `narrow \`${partIs}\` by a label`,
    )
  return partIs === 'bad' ? ofBad(part, total) : ofGood(part, total)
}

function refusalOf(spec: Part): FileFinding | null {
  const threshold = below(spec, 'thresholdMetric')
  if (isThere(threshold))
    return refused(
      threshold,
      'CONFIG_WRONG_VALUE',
      'a thresholdMetric has values, and no events to count',
      'write the SLI in the config, as `value:` with `max` or `min`, or as `histogram:` for a latency',
      { on: 'key' },
    )
  const metric = below(spec, 'ratioMetric')
  if (!isThere(metric))
    return refused(
      metric,
      'CONFIG_MISSING_KEY',
      'the indicator has no ratioMetric',
      'add one with good or bad, and total',
    )
  const raw = below(metric, 'raw')
  if (isThere(raw))
    return refused(
      raw,
      'CONFIG_WRONG_VALUE',
      'a ratio that is stored ready-made (raw) says nothing of how many events there were',
      'give good or bad, and total; a ratio of Sloth or Pyrra is read by `sloth:` or `pyrra:` in the config',
      { on: 'key' },
    )
  const [good, bad] = [below(metric, 'good'), below(metric, 'bad')]
  if (isThere(good) === isThere(bad))
    return isThere(good)
      ? refused(bad, 'CONFIG_WRONG_VALUE', 'the ratio has both good and bad', 'keep one of the two', { on: 'key' })
      : refused(metric, 'CONFIG_MISSING_KEY', 'the ratio has neither good nor bad', 'add one of the two', { on: 'key' })
  const total = below(metric, 'total')
  if (!isThere(total))
    return refused(metric, 'CONFIG_MISSING_KEY', 'the ratio has no total', 'add the counter of all events', {
      on: 'key',
    })
  return null
}

function counterAt(metric: Part, ratio: Part, documents: readonly Part[]): Read | FileFinding {
  const source = below(metric, 'metricSource')
  const wrong = wrongSource(source, documents)
  if (wrong) return wrong
  const spec = below(source, 'spec')
  const at = isThere(below(spec, 'promql')) ? below(spec, 'promql') : below(spec, 'query')
  const query = textOf(at)
  if (query === null)
    return refused(at, 'CONFIG_MISSING_KEY', 'the metricSource has no query', 'add `query:` with PromQL to its spec')
  const read = counterOfQuery(query)
  if ('cause' in read) return refused(at, 'CONFIG_PROMQL', read.cause, read.hint, { within: read.offset })
  const counter = below(ratio, 'counter')
  if (read.call === null && counter.value !== true)
    return refused(
      isThere(counter) ? counter : at,
      'CONFIG_WRONG_VALUE',
      `the ratio is not said to be of counters, and ${read.counter.metric} is read as it is`,
      'write `counter: true` if it only rises; what goes up and down cannot be counted',
    )
  return { ...read, at }
}

function wrongSource(source: Part, documents: readonly Part[]): FileFinding | null {
  const reference = below(source, 'metricSourceRef')
  const isMeant = (one: Part) =>
    below(one, 'kind').value === 'DataSource' && below(one, 'metadata', 'name').value === reference.value
  const named = documents.find(isMeant)
  const type = isThere(below(source, 'type')) || !named ? below(source, 'type') : below(named, 'spec', 'type')
  const written = textOf(type)
  if (written?.toLowerCase() === 'prometheus') return null
  return written === null
    ? refused(type, 'CONFIG_MISSING_KEY', 'nothing says what the metricSource is', 'add `type: Prometheus`')
    : refused(
        type,
        'CONFIG_WRONG_VALUE',
        `Headgate reads no OpenSLO queries of ${written}`,
        'only `type: Prometheus` can be used; write the SLI in the config instead',
      )
}

function wordOf({ call }: Read): string {
  switch (call) {
    case null:
      return 'a plain counter'
    case 'rate':
      return 'a rate'
    case 'increase':
      return 'an increase'
  }
}

function ofBad(bad: Read, total: Read): SliMeasure | FileFinding {
  return (
    [bad, total].map(bucketRefusal).find((one) => one !== null) ?? {
      kind: 'selector',
      total: selectorText(total.counter),
      bad: selectorText(bad.counter),
    }
  )
}

/** As exact as what is good allows: a bucket is one of a histogram, and what one label tells apart has its opposite. */
function ofGood(good: Read, total: Read): SliMeasure | FileFinding {
  const histogram = histogramOf(good.counter, total.counter)
  if (histogram) return histogram
  const wrong = [good, total].map(bucketRefusal).find((one) => one !== null)
  if (wrong) return wrong
  const texts = { total: selectorText(total.counter), good: selectorText(good.counter) }
  const own = ownMatchers(good.counter, total.counter)
  const [only] = own ?? []
  if (own?.length !== 1 || !only) return { kind: 'goodSelector', ...texts }
  const opposite: Matcher = { ...only, op: OPPOSITES[only.op] }
  const bad = { ...total.counter, matchers: [...total.counter.matchers, opposite] }
  return { kind: 'selector', total: texts.total, bad: selectorText(bad) }
}

const OPPOSITES = { '=': '!=', '!=': '=', '=~': '!~', '!~': '=~' } as const

/** What the part has on top of the whole; null: it is no part of the same counter. */
function ownMatchers(part: Selector, whole: Selector): readonly Matcher[] | null {
  const has = (all: readonly Matcher[], one: Matcher) =>
    all.some((other) => JSON.stringify(other) === JSON.stringify(one))
  if (part.metric !== whole.metric || !whole.matchers.every((one) => has(part.matchers, one))) return null
  return part.matchers.filter((one) => !has(whole.matchers, one))
}

const BUCKET = /_bucket$/

/** A bucket and the count of the same classic histogram in seconds. */
function histogramOf(good: Selector, total: Selector): SliMeasure | null {
  const base = good.metric.replace(BUCKET, '')
  const ofBase = ({ matchers }: Selector) => ({
    metric: base,
    matchers: matchers.filter(({ label }) => label !== 'le'),
  })
  const [bound, ...others] = good.matchers.filter(({ label }) => label === 'le')
  const totalBounds = total.matchers.filter(({ label }) => label === 'le')
  const isAll =
    total.metric === `${base}_count`
      ? totalBounds.length === 0
      : total.metric === good.metric && totalBounds.length === 1 && isBound(totalBounds[0], '+Inf')
  const slowerThanSeconds = Number(bound?.value)
  if (!BUCKET.test(good.metric) || !base.endsWith('_seconds') || !isAll || others.length > 0) return null
  if (!isBound(bound, bound?.value ?? '') || !(slowerThanSeconds > 0 && Number.isFinite(slowerThanSeconds))) return null
  if (!isSame(ofBase(good), ofBase(total))) return null
  return { kind: 'histogram', metric: selectorText(ofBase(good)), slowerThanSeconds }
}

function isBound(matcher: Matcher | undefined, value: string): boolean {
  return matcher !== undefined && matcher.op === '=' && matcher.value === value
}

function isSame(one: Selector, other: Selector): boolean {
  return ownMatchers(one, other)?.length === 0
}

// Pods of two releases may have other buckets, and a sum over a part of them would look like slowness.
function bucketRefusal({ counter, at }: Read): FileFinding | null {
  if (!BUCKET.test(counter.metric)) return null
  return refused(
    at,
    'CONFIG_WRONG_VALUE',
    `${counter.metric} can only be read as good, with one \`le="…"\` and the _count of the same histogram, in seconds, as total`,
    'make them agree in all other labels; or write `histogram:` and `slowerThan:` in the config',
  )
}
