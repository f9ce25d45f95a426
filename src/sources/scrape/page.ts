import { type Agent, request } from 'undici'
import { type Missing, missing } from '../../core/observation.ts'
import { failureOf } from '../failure.ts'
import { ExpositionError, parseExposition, type Sample } from './exposition.ts'
import { pageName, type ScrapeSettings } from './settings.ts'

/** Text first: it is what every client speaks, and the plainer one. */
const ACCEPT = 'text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5'

export interface PageRequest {
  readonly url: string
  readonly settings: Pick<ScrapeSettings, 'timeoutSeconds' | 'maxBytes'>
  readonly agent: Agent
  readonly signal: AbortSignal
  /** The metrics to read; others are passed over. */
  readonly isWanted: (metric: string) => boolean
}

/** Reads one page of metrics. Never throws. */
export async function readPage(page: PageRequest): Promise<readonly Sample[] | Missing> {
  const { url, settings, agent, signal, isWanted } = page
  try {
    const { statusCode, headers, body } = await request(url, {
      dispatcher: agent,
      signal: AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutSeconds * 1000)]),
      headers: { accept: ACCEPT },
    })
    const text = await body.text()
    if (statusCode !== 200)
      return named(url, missing(statusCode >= 500 ? 'unreachable' : 'refused', `status ${statusCode}`))
    const isOpenMetrics = String(headers['content-type']).startsWith('application/openmetrics-text')
    return parseExposition(text, isOpenMetrics ? 'openmetrics' : 'text', isWanted)
  } catch (error) {
    if (error instanceof ExpositionError) return named(url, missing('bad-answer', error.message))
    return named(url, failureOf(error, { signal, ...settings }))
  }
}

function named(url: string, { why, detail }: Missing): Missing {
  return missing(why, `${pageName(url)}: ${detail}`)
}
