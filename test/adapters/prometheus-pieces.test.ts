import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import { type AnswerForm, answerReader, readAnswer, type Series } from '../../src/sources/prometheus/answer.ts'
import { sumsByMoment } from '../../src/sources/prometheus/fold.ts'
import { GroupKeys } from '../../src/sources/prometheus/keys.ts'
import { partsOf } from '../../src/sources/prometheus/parts.ts'
import { PIECE_BYTES } from '../../src/sources/prometheus/pieces.ts'

/** Texts that look like the places where an answer is cut. */
const nasty = fc.constantFrom(',{"metric":', '[{"metric":', ']}]', ']}]}}', '\\', '"', 'é', '"}},{"metric":{')
const text = fc.oneof(nasty, fc.string({ unit: 'grapheme' }))
const value = fc.constantFrom('0', '12.5', 'NaN', '+Inf', '-Inf', '', '7')
const series = fc.record({
  metric: fc.dictionary(fc.constantFrom('cluster', 'service', 'le'), text),
  value: fc.tuple(fc.constant(1_763_750_000.123), value),
})
const body = fc.record({
  all: fc.array(series, { minLength: 1, maxLength: 5 }),
  warnings: fc.array(text, { maxLength: 2 }),
})
/** Lengths of chunks, over and over. */
const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1000, max: 200_000 })), {
  minLength: 1,
  maxLength: 8,
})

const LABELS = { cluster: 'cluster', workload: 'service' }
const ONE = { metric: { cluster: 'a', service: 'b' }, value: [1, '2'] }

/** As many series as a text needs to be read in pieces. */
function large<T>(items: readonly T[], pieces = 3): readonly T[] {
  const times = Math.ceil((pieces * PIECE_BYTES) / JSON.stringify(items).length)
  return Array.from({ length: times }, () => items).flat()
}

const bodyOf = (result: readonly unknown[], warnings: readonly string[] = []) => ({
  status: 'success',
  data: { resultType: 'vector', result },
  ...(warnings.length > 0 && { warnings }),
})

/** Reads a text that comes in chunks of these lengths, the last of which is as long as it needs to be. */
function read(text: string, form: AnswerForm = 'vector', lengths: readonly number[] = [65_536]) {
  const pieces: (readonly Series[])[] = []
  const reader = answerReader(form, (some) => pieces.push(some))
  const bytes = Buffer.from(text)
  for (let from = 0, chunk = 0; from < bytes.length; chunk++) {
    // Short chunks come now and then: thousands of them would be slow to test, and say no more.
    const length = chunk > 200 ? bytes.length : (lengths[chunk % lengths.length] ?? 1)
    reader.add(bytes.subarray(from, from + length))
    from += length
  }
  const said = reader.end()
  return { said, pieces, answer: isMissing(said) ? said : { series: pieces.flat(), ...said } }
}

describe('an answer that is read while it comes', () => {
  test('says the same as one that is read whole, wherever its bytes are cut', () => {
    fc.assert(
      fc.property(body, lengths, fc.constantFrom(0, 3), ({ all, warnings }, lengths, pieces) => {
        const whole = bodyOf(pieces > 0 ? large(all, pieces) : all, warnings)
        expect(read(JSON.stringify(whole), 'vector', lengths).answer).toEqual(readAnswer(whole, 'vector'))
      }),
      { numRuns: 50 },
    )
  })

  test('is really cut, and each piece is about as long as it should be', () => {
    const { answer, pieces } = read(JSON.stringify(bodyOf(large([ONE]))))
    expect(pieces).toHaveLength(3)
    for (const piece of pieces) expect(JSON.stringify(piece).length).toBeLessThan(2.5 * PIECE_BYTES)
    expect(answer).toEqual(readAnswer(bodyOf(large([ONE])), 'vector'))
  })

  test('may have series that are longer than a piece', () => {
    const values = Array.from({ length: 20_000 }, (_, index) => [index, String(index)])
    const result = Array.from({ length: 3 }, () => ({ metric: { cluster: 'a', service: 'b' }, values }))
    const whole = { status: 'success', data: { resultType: 'matrix', result } }
    expect(read(JSON.stringify(whole), 'matrix', [10_000]).answer).toEqual(readAnswer(whole, 'matrix'))
  })

  test('is none when one of its series, in whatever piece, is none', () => {
    const text = JSON.stringify(bodyOf([...large([ONE]), { metric: { cluster: 'a' }, value: 7 }, ...large([ONE])]))
    expect(read(text).said).toMatchObject({ kind: 'missing', why: 'bad-answer' })
  })

  test.each([
    ['ends at once', -1],
    ['ends between two series', -JSON.stringify(ONE).length - 3],
    ['ends in the middle', -PIECE_BYTES],
  ])('is none when it %s', (_, end) => {
    const whole = JSON.stringify(bodyOf(large([ONE])))
    expect(read(whole.slice(0, end)).said).toMatchObject({ kind: 'missing', why: 'bad-answer' })
  })

  test.each<[string, (whole: object) => string]>([
    ['with spaces', (whole) => JSON.stringify(whole, null, 1)],
    ['with spaces behind it', (whole) => `${JSON.stringify(whole)}\n\n`],
    ['behind a mark of the order of bytes', (whole) => `\ufeff${JSON.stringify(whole)}`],
    [
      'with more beside the series',
      (whole) => JSON.stringify({ isPartial: false, ...whole, stats: [{ metric: 1 }, 2] }),
    ],
    [
      'with its status last',
      (whole) =>
        JSON.stringify({ ...whole, status: undefined, warnings: [], end: 1 }).replace('"end":1', '"status":"success"'),
    ],
  ])('may be written %s', (_, write) => {
    const whole = bodyOf(large([ONE]))
    expect(read(write(whole)).answer).toEqual({ series: readSeries(whole), warnings: [] })
  })

  test('has the form that was asked for, or says which it has', () => {
    expect(read(JSON.stringify(bodyOf(large([ONE]))), 'matrix').said).toMatchObject({
      kind: 'missing',
      why: 'bad-answer',
      detail: 'the query gives a vector, not a matrix',
    })
  })
})

function readSeries(whole: unknown): readonly Series[] {
  const answer = readAnswer(whole, 'vector')
  if (isMissing(answer)) throw new Error(answer.detail)
  return answer.series
}

describe('what is added up', () => {
  test('has in each group each part once, in whatever order the series come', () => {
    const label = fc.constantFrom('a', 'b', 'c')
    const bucket = fc.record({
      metric: fc.record(
        { cluster: label, service: label, le: fc.constantFrom('1', '1.0', '+Inf', '') },
        { requiredKeys: [] },
      ),
      value: fc.tuple(fc.constant(1), value),
    })
    fc.assert(
      fc.property(fc.array(bucket, { maxLength: 60, size: 'max' }), fc.nat(60), (all, cut) => {
        const series = readSeries(bodyOf(all))
        const fold = partsOf(LABELS, 'le', new GroupKeys())
        for (const some of [series.slice(0, cut), series.slice(cut)]) fold.take(some)
        const parts = fold.end()
        const grouped = series.filter(
          ({ metric }) => metric['cluster'] !== undefined && metric['service'] !== undefined,
        )
        expect(isMissing(parts)).toBe(grouped.length === 0 && series.length > 0)
        if (isMissing(parts)) return
        const expected = Map.groupBy(grouped, ({ metric }) => `${metric['cluster']}\u0000${metric['service']}`)
        expect([...parts.groups]).toEqual([...expected.keys()])
        for (const [group, ofGroup] of expected) {
          // Each boundary by itself gives what the sums of one moment are.
          const byBound = Map.groupBy(ofGroup, ({ metric }) => metric['le'])
          byBound.delete(undefined)
          const sums = [...byBound].map(([le, ofBound]) => {
            const moments = sumsByMoment(ofBound, LABELS)
            return [le, isMissing(moments) ? moments : moments.get(1000)?.get(group)]
          })
          expect([...(parts.of(group) ?? [])]).toEqual(sums)
        }
      }),
    )
  })
})
