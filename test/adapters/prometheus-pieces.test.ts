import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import { readAnswer, readText, sumsByMoment } from '../../src/sources/prometheus/answer.ts'
import { inPieces, PIECE_CHARS } from '../../src/sources/prometheus/pieces.ts'

/** Texts that look like the places where an answer is cut. */
const nasty = fc.constantFrom(',{"metric":', '[{"metric":', ']}]', ']}]}}', '\\', '"', 'é', '"}},{"metric":{')
const text = fc.oneof(nasty, fc.string())
const series = fc.record({
  metric: fc.dictionary(fc.constantFrom('cluster', 'service', 'le'), text),
  value: fc.tuple(fc.constant(1_763_750_000.123), fc.constantFrom('0', '12.5', 'NaN', '+Inf')),
})
const body = fc.record({
  all: fc.array(series, { minLength: 1, maxLength: 5 }),
  warnings: fc.array(text, { maxLength: 2 }),
})

/** As many series as a text needs to be read in pieces. */
function large<T>(items: readonly T[]): readonly T[] {
  const times = Math.ceil((3 * PIECE_CHARS) / JSON.stringify(items).length)
  return Array.from({ length: times }, () => items).flat()
}

const bodyOf = (result: readonly unknown[], warnings: readonly string[] = []) => ({
  status: 'success',
  data: { resultType: 'vector', result },
  ...(warnings.length > 0 && { warnings }),
})

describe('an answer that is read in pieces', () => {
  test('has the same series and warnings as one that is read whole', () => {
    fc.assert(
      fc.property(body, ({ all, warnings }) => {
        const whole = bodyOf(large(all), warnings)
        const answer = readText(JSON.stringify(whole), 'vector')
        expect(isMissing(answer) ? answer : { ...answer, series: [...answer.series] }).toEqual(
          readAnswer(whole, 'vector'),
        )
      }),
      { numRuns: 15 },
    )
  })

  test('is really cut, and each piece is about as long as it should be', () => {
    const one = { metric: { cluster: 'a', service: 'b' }, value: [1, '2'] }
    const lists = [...(inPieces(JSON.stringify(bodyOf(large([one]))))?.lists ?? [])]
    expect(lists.length).toBe(3)
    expect(lists.flat()).toEqual(large([one]))
  })

  test('is none when one of its series, in whatever piece, is none', () => {
    const fine = large([{ metric: { cluster: 'a', service: 'b' }, value: [1, '2'] }])
    const answer = readText(
      JSON.stringify(bodyOf([...fine, { metric: { cluster: 'a' }, value: 7 }, ...fine])),
      'vector',
    )
    if (isMissing(answer)) throw new Error(answer.detail)
    expect(sumsByMoment(answer.series, { cluster: 'cluster', workload: 'service' })).toMatchObject({
      kind: 'missing',
      why: 'bad-answer',
    })
  })

  test('that breaks off, or is written in another way, is as bad or as good as when it is read whole', () => {
    const whole = bodyOf(large([{ metric: { cluster: 'a', service: 'b' }, value: [1, '2'] }]))
    expect(readText(JSON.stringify(whole).slice(0, -9), 'vector')).toMatchObject({ kind: 'missing', why: 'bad-answer' })
    const pretty = readText(JSON.stringify(whole, null, 1), 'vector')
    expect(isMissing(pretty) ? pretty : [...pretty.series].length).toBe(whole.data.result.length)
    expect(readText(JSON.stringify(whole), 'matrix')).toMatchObject({ kind: 'missing', why: 'bad-answer' })
  })
})
