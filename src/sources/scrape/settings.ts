import { z } from 'zod'
import { about, refuse } from '../../shared/schema.ts'
import { byteLimit, gapTolerance, httpUrl, requestTimeout } from '../settings.ts'

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/)

const target = z.strictObject({
  url: httpUrl('The page of metrics', 'http://10.1.0.7:8080/metrics', 'read such a page through Prometheus'),
  labels: z
    .record(labelName, z.string())
    .default({})
    .meta(
      about('Labels of all its series; they win over those of the page', { cluster: 'prod-a', service: 'checkout' }),
    ),
})

/** Settings of the source `scrape`: pages of metrics that Headgate reads itself. */
export const scrapeSettings = z
  .strictObject({
    targets: z.array(target).min(1).meta(about('The pages to read; each one once a sweep')),
    timeout: requestTimeout('A page that is not there by then is missing'),
    maxBytes: byteLimit('A larger page is refused, bytes', 16 * 2 ** 20),
    gapTolerance: gapTolerance(),
  })
  .superRefine(({ targets }, ctx) => {
    const urls = targets.map(({ url }) => url)
    const twice = urls.find((url, index) => urls.indexOf(url) !== index)
    if (twice !== undefined)
      refuse(ctx, 'CONFIG_DUPLICATE', `${pageName(twice)} is listed twice`, 'keep one: it would be counted twice')
  })
  .transform(({ timeout, gapTolerance, ...rest }) => ({
    ...rest,
    timeoutSeconds: timeout,
    gapToleranceSeconds: gapTolerance,
  }))

export type ScrapeSettings = z.output<typeof scrapeSettings>
export type ScrapeTarget = ScrapeSettings['targets'][number]

/** A page's URL for people, without the query part, where some keep tokens. */
export function pageName(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
