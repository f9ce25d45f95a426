import { scrapeSettings } from '../../src/sources/scrape/settings.ts'
import { openScrape } from '../../src/sources/scrape/source.ts'
import { sourceConformance } from '../conformance/source.ts'
import { POD_NAMES, PODS, servePods } from '../support/pods.ts'

sourceConformance('scrape', {
  measures: ['selector', 'goodSelector', 'histogram'],
  hasHistory: false,
  async createPlace() {
    const pages = await servePods()
    const targets = POD_NAMES.map((name) => ({ url: pages.url(name), labels: PODS[name] }))
    const source = openScrape(scrapeSettings.parse({ targets }))
    let atMs = 1_000_000
    return {
      source,
      run: 'first',
      pods: pages.pods,
      async tick() {
        atMs += 10_000
        return { sinceMs: atMs - 10_000, atMs }
      },
      stop: () => pages.close(),
      remove: () => pages.close(),
    }
  },
})
