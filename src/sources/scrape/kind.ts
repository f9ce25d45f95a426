import type { SourceKind } from '../../ports/source.ts'
import { type ScrapeSettings, scrapeSettings } from './settings.ts'
import { openScrape } from './source.ts'

/** Pages of metrics, read by Headgate itself. It knows counters alone, and no past. */
export const scrapeKind: SourceKind<ScrapeSettings> = {
  kind: 'scrape',
  settings: scrapeSettings,
  measures: ['selector', 'goodSelector', 'histogram'],
  open: openScrape,
}
