import { z } from 'zod'
import { about, secretReference } from '../shared/schema.ts'
import type { TracingConfig } from './config.ts'
import { addressRange, httpUrl } from './schema-http.ts'
import { text } from './schema-names.ts'

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,100}$/, 'no name of a header')
  .refine((name) => !RESERVED.includes(name.toLowerCase()), 'Headgate sets this header itself')

const RESERVED: readonly string[] = ['content-type', 'content-length', 'host', 'connection', 'transfer-encoding']

/** What Headgate tells of itself beyond logs and metrics. */
export const telemetrySchema = z
  .strictObject({
    tracing: z
      .strictObject({
        url: httpUrl().meta(
          about('Where spans go, by OTLP over HTTP: the whole URL', 'http://otel-collector:4318/v1/traces'),
        ),
        encoding: z.enum(['protobuf', 'json']).prefault('protobuf').meta(about('As what they are written', 'protobuf')),
        headers: z
          .record(headerName, secretReference())
          .prefault({})
          .meta(
            about('Headers of each request, such as `authorization`: secrets', { authorization: '${env:OTLP_AUTH}' }),
          ),
        sampleRatio: z
          .number()
          .min(0)
          .max(1)
          .prefault(1)
          .meta(about('The part of all sweeps that is kept, from 0 to 1', 0.1)),
        serviceName: text().prefault('headgate').meta(about('`service.name` of the spans', 'headgate')),
        allowAddresses: z
          .array(addressRange())
          .prefault([])
          .meta(about('Link-local and metadata addresses that may be asked all the same', ['169.254.10.1'])),
      })
      .optional()
      .meta(about('Traces of Headgate itself: off unless this is there; see docs/tracing.md')),
  })
  .prefault({})
  .meta(about('What Headgate tells of itself, beyond logs and metrics'))

/** As the config has it. */
export function tracingOf({ tracing }: z.output<typeof telemetrySchema>): TracingConfig | null {
  return tracing ?? null
}
