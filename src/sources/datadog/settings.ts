import { z } from 'zod'
import { about, duration, refuse, secretReference } from '../../shared/schema.ts'
import { byteLimit, httpUrl, requestTimeout } from '../settings.ts'

/** The sites of Datadog, by the part of the URL that names them. */
const SITES = [
  'datadoghq.com',
  'us3.datadoghq.com',
  'us5.datadoghq.com',
  'datadoghq.eu',
  'uk1.datadoghq.com',
  'ap1.datadoghq.com',
  'ap2.datadoghq.com',
  'ddog-gov.com',
  'us2.ddog-gov.com',
] as const

/** Settings of the source `datadog`: one organisation, for metrics and for results of synthetic tests. */
export const datadogSettings = z
  .strictObject({
    site: z.enum(SITES).prefault('datadoghq.com').meta(about('The site that holds the organisation', 'datadoghq.eu')),
    url: httpUrl(
      'Where the API answers, instead of `https://api.SITE`: a proxy',
      'https://datadog-proxy.internal',
      'use `apiKey` and `appKey`',
    ).optional(),
    apiKey: secretReference().meta(about('Sent as `DD-API-KEY`', '${env:DD_API_KEY}')),
    appKey: secretReference().meta(about('Sent as `DD-APPLICATION-KEY`', '${env:DD_APP_KEY}')),
    period: duration({ minSeconds: 10, maxSeconds: 3600 })
      .prefault('20s')
      .superRefine((seconds, ctx) => {
        if (3600 % seconds !== 0)
          refuse(ctx, 'CONFIG_WRONG_VALUE', 'an hour is no multiple of this', 'write 10s, 20s, 30s, 1m, 5m, …')
      })
      .meta(about('Length of the periods that are counted by; no metric of an SLI may come less often', '20s')),
    ingestDelay: duration({ maxSeconds: 3600 })
      .prefault('1m')
      .meta(about('How long after the fact all points have arrived; more for metrics of cloud integrations', '1m')),
    timeout: requestTimeout('A call without an answer by then is missing'),
    maxBytes: byteLimit('A larger answer is refused, bytes', 16 * 2 ** 20),
  })
  .transform(({ period, ingestDelay, timeout, ...rest }) => ({
    ...rest,
    periodSeconds: period,
    ingestDelaySeconds: ingestDelay,
    timeoutSeconds: timeout,
  }))

export type DatadogSettings = z.output<typeof datadogSettings>
