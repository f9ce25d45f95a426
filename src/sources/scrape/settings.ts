import { z } from 'zod'
import { duration, refuse } from '../../shared/schema.ts'
import { byteLimit, httpUrl } from '../settings.ts'

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/)

const target = z.strictObject({
  url: httpUrl().describe('The page of metrics, whole'),
  labels: z
    .record(labelName, z.string())
    .default({})
    .describe('Labels of all its series; they win over labels of the page'),
})

/** Settings of the source `scrape`: endpoints that Headgate reads itself. */
export const scrapeSettings = z
  .strictObject({
    targets: z.array(target).min(1),
    timeout: duration({ minSeconds: 1, maxSeconds: 120 })
      .prefault('5s')
      .describe('A page that is not there by then is missing'),
    maxBytes: byteLimit(16 * 2 ** 20).describe('Larger pages are refused, bytes'),
    gapTolerance: duration({ minSeconds: 1, maxSeconds: 86_400 })
      .prefault('15m')
      .describe('A series, or a target, that comes back within this time goes on where it stopped'),
  })
  .superRefine(({ targets }, ctx) => {
    const urls = targets.map(({ url }) => url)
    const twice = urls.find((url, index) => urls.indexOf(url) !== index)
    if (twice !== undefined) refuse(ctx, 'CONFIG_DUPLICATE', `${twice} is listed twice`, 'it would be counted twice')
  })
  .transform(({ timeout, gapTolerance, ...rest }) => ({
    ...rest,
    timeoutSeconds: timeout,
    gapToleranceSeconds: gapTolerance,
  }))

export type ScrapeSettings = z.output<typeof scrapeSettings>
export type ScrapeTarget = ScrapeSettings['targets'][number]
