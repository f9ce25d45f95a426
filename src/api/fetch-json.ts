import { Agent, request } from 'undici'
import { readBounded } from '../shared/body.ts'
import { guardedConnector } from '../shared/guard.ts'
import type { FetchJson } from './oidc-keys.ts'

const TIMEOUT_MS = 5_000
const MAX_BYTES = 256 * 1024

/** Asks an identity provider: no redirects, no guarded address, a bounded answer in bounded time. */
export function createFetchJson(): FetchJson & { close(): Promise<void> } {
  const dispatcher = new Agent({ connect: guardedConnector([]), keepAliveTimeout: 1_000 })
  const fetchJson = async (url: string): Promise<unknown> => {
    const { statusCode, body } = await request(url, {
      dispatcher,
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await readBounded(body, MAX_BYTES)
    if (statusCode !== 200) throw new Error(`status ${statusCode}`)
    if (text === null) throw new Error(`more than ${MAX_BYTES} bytes`)
    return JSON.parse(text)
  }
  return Object.assign(fetchJson, { close: () => dispatcher.close() })
}
