import { z } from 'zod'
import { about, duration } from '../../shared/schema.ts'
import { serverShape } from '../settings.ts'

/** Settings of the source `tempo`. */
export const tempoSettings = z
  .strictObject({
    ...serverShape({ title: 'Tempo', name: 'tempo', url: 'http://tempo:3200', delay: '1m' }),
    longestQuery: duration({ minSeconds: 60, maxSeconds: 7 * 86_400 })
      .prefault('3h')
      .meta(about("Longest time in one query: Tempo's `query_frontend.metrics.max_duration`", '3h')),
  })
  .transform(({ timeout, ingestDelay, longestQuery, ...rest }) => ({
    ...rest,
    timeoutSeconds: timeout,
    ingestDelaySeconds: ingestDelay,
    longestQuerySeconds: longestQuery,
  }))

export type TempoSettings = z.output<typeof tempoSettings>
