import { z } from 'zod'
import { duration, refuse, secretReference } from '../../shared/schema.ts'
import { byteLimit, httpUrl } from '../settings.ts'

const DAY_SECONDS = 86_400

const auth = z
  .strictObject({
    bearer: secretReference().optional().describe('Token for `Authorization: Bearer`'),
    basic: z.strictObject({ username: z.string().min(1), password: secretReference() }).optional(),
  })
  .superRefine((value, ctx) => {
    if ((value.bearer === undefined) === (value.basic === undefined))
      refuse(ctx, 'CONFIG_WRONG_VALUE', 'either `bearer` or `basic`', 'keep one of the two')
  })

const tls = z
  .strictObject({
    ca: z.string().min(1).optional().describe('PEM file of the authorities to trust, instead of the usual ones'),
    cert: z.string().min(1).optional().describe('PEM file of the client certificate'),
    key: z.string().min(1).optional().describe('PEM file of the client key'),
    serverName: z.string().min(1).optional().describe('Name that the certificate must carry, if not the URL’s'),
  })
  .superRefine((value, ctx) => {
    if ((value.cert === undefined) !== (value.key === undefined))
      refuse(ctx, 'CONFIG_WRONG_VALUE', '`cert` and `key` belong together', 'give both, or none')
  })

/** Settings of the source `prometheus`: anything that answers Prometheus's query API. */
export const prometheusSettings = z
  .strictObject({
    url: httpUrl().describe('Base of the API, without /api/v1; a path before it is kept'),
    auth: auth.optional(),
    tls: tls.optional().describe('Files are read at each new connection, so rotated ones count'),
    tenant: z.string().min(1).optional().describe('Tenant of Mimir, Cortex or Thanos: the header X-Scope-OrgID'),
    timeout: duration({ minSeconds: 1, maxSeconds: 120 })
      .prefault('5s')
      .describe('A query without an answer by then is missing'),
    maxBytes: byteLimit(32 * 2 ** 20).describe('Larger answers are refused, bytes'),
    delay: duration({ maxSeconds: 300 })
      .prefault('1s')
      .describe('How far back each query looks, so that scrapes of that moment have arrived'),
    staleAfter: duration({ minSeconds: 1, maxSeconds: DAY_SECONDS })
      .prefault('1m')
      .describe('A series without a sample for so long is gone; more than the scrape interval'),
    gapTolerance: duration({ minSeconds: 1, maxSeconds: DAY_SECONDS })
      .prefault('15m')
      .describe('A series that comes back within this time goes on where it stopped'),
  })
  .superRefine((value, ctx) => {
    if (value.gapTolerance < value.staleAfter)
      refuse(ctx, 'CONFIG_WRONG_VALUE', '`gapTolerance` is shorter than `staleAfter`', 'make it at least as long')
  })
  .transform(({ timeout, delay, staleAfter, gapTolerance, ...rest }) => ({
    ...rest,
    timeoutSeconds: timeout,
    delaySeconds: delay,
    staleAfterSeconds: staleAfter,
    gapToleranceSeconds: gapTolerance,
  }))

export type PrometheusSettings = z.output<typeof prometheusSettings>
