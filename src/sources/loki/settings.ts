import { z } from 'zod'
import { serverShape } from '../settings.ts'

/** Settings of the source `loki`. */
export const lokiSettings = z
  .strictObject(serverShape({ title: 'Loki', name: 'loki', url: 'http://loki:3100', delay: '30s' }))
  .transform(({ timeout, ingestDelay, ...rest }) => ({
    ...rest,
    timeoutSeconds: timeout,
    ingestDelaySeconds: ingestDelay,
  }))

export type LokiSettings = z.output<typeof lokiSettings>
