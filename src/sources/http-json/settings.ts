import { z } from 'zod'
import { authSettings } from '../../shared/http-auth.ts'
import { about, refuse, secretReference } from '../../shared/schema.ts'
import { byteLimit, httpUrl, ingestDelay, requestTimeout, tlsSettings } from '../settings.ts'
import { jsonPath } from './jsonpath.ts'
import { hasQuery } from './template.ts'

const text = z.string().min(1)
const headerName = z.string().regex(/^[A-Za-z0-9-]+$/, 'this is no name of a header')
const headerValue = z.string().regex(/^[\x20-\x7e]*$/, 'a header has visible characters of ASCII only')

const key = z.strictObject({
  header: headerName.meta(about('Header that carries it', 'Authorization')),
  prefix: headerValue.prefault('').meta(about('What stands before it there', 'Api-Token ')),
  secret: secretReference().meta(about('The key', '${env:DYNATRACE_TOKEN}')),
})

const URL_EXAMPLE =
  'https://abc.live.dynatrace.com/api/v2/metrics/query?metricSelector=$query&from=$fromMs&to=$toMs&resolution=Inf'

/** Settings of the source `http-json`. */
export const httpJsonSettings = z
  .strictObject({
    url: httpUrl('Where to ask; `$query` and names of times in it are filled in', URL_EXAMPLE, 'use `auth` or `key`'),
    body: text
      .optional()
      .meta(
        about('JSON to send by POST, filled in likewise; GET without it', '{ "query": "$query", "from": $fromMs }'),
      ),
    headers: z
      .record(headerName, headerValue)
      .prefault({})
      .meta(about('Headers without secrets', { 'accept-language': 'en' })),
    auth: authSettings('METRICS_TOKEN', 'metrics').optional().meta(about('Credentials; none without it')),
    key: key.optional().meta(about('A key in a header of its own')),
    tls: tlsSettings('metrics').optional().meta(about('TLS files, read at each new connection')),
    rows: jsonPath('The list of rows in an answer; an answer without it is a bad one', '$.result[*].data'),
    cluster: jsonPath('The cluster in a row', "$.dimensionMap['k8s.cluster.name']"),
    workload: jsonPath('The workload in a row', "$.dimensionMap['k8s.workload.name']"),
    value: jsonPath('The number in a row; null is no number and no row', '$.values[0]'),
    error: jsonPath('What in an answer says that it is none', '$.errors[*].message').optional(),
    timeout: requestTimeout('A question without an answer by then is missing'),
    maxBytes: byteLimit('A larger answer is refused, bytes', 32 * 2 ** 20),
    ingestDelay: ingestDelay('2m'),
  })
  .superRefine(({ url, body }, ctx) => {
    if (!hasQuery(`${url} ${body ?? ''}`))
      refuse(ctx, 'CONFIG_WRONG_VALUE', 'neither `url` nor `body` has `$query` in it', 'say where the SLIs’ queries go')
  })
  .transform(({ timeout, ingestDelay, ...rest }) => ({
    ...rest,
    timeoutSeconds: timeout,
    ingestDelaySeconds: ingestDelay,
  }))

export type HttpJsonSettings = z.output<typeof httpJsonSettings>
