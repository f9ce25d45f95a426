import { z } from 'zod'
import { authSettings } from '../../shared/http-auth.ts'
import { about, duration, refuse } from '../../shared/schema.ts'
import { byteLimit, gapTolerance, httpUrl, requestTimeout, tlsSettings } from '../settings.ts'

const text = z.string().min(1)

/** Settings of the source `prometheus`: anything that answers Prometheus's query API. */
export const prometheusSettings = z
  .strictObject({
    url: httpUrl('Where the API is; `/api/v1/query` is appended', 'http://prometheus:9090', 'use `auth` instead'),
    auth: authSettings('PROMETHEUS_TOKEN', 'prometheus').optional().meta(about('Credentials; none without it')),
    tls: tlsSettings('prometheus')
      .optional()
      .meta(about('TLS files, read at each new connection, so that rotated ones count')),
    tenant: text.optional().meta(about('Tenant of Mimir, Cortex or Thanos: the header `X-Scope-OrgID`', 'shop')),
    timeout: requestTimeout('A query without an answer by then is missing'),
    maxBytes: byteLimit('A larger answer is refused, bytes', 32 * 2 ** 20),
    delay: duration({ maxSeconds: 300 })
      .prefault('1s')
      .meta(about('How far back each query looks, so that the scrapes of that moment have arrived', '1s')),
    staleAfter: duration({ minSeconds: 1, maxSeconds: 86_400 })
      .prefault('1m')
      .meta(about('A series without a sample for so long is gone; longer than the scrape interval', '1m')),
    gapTolerance: gapTolerance(),
  })
  .superRefine(({ gapTolerance, staleAfter }, ctx) => {
    if (gapTolerance < staleAfter)
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
