import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'

const TICK_MS = 10
const ANSWER_SECONDS = 5
/** Beyond so many open requests of a workload, those that are due are left out: a stuck service must not fill memory. */
const MAX_OPEN = 200

export interface LoadOptions {
  /** Where the traffic goes, one URL a workload. */
  readonly urls: ReadonlyMap<string, string>
  /** For each workload. */
  readonly requestsPerSecond: number
  /** An answer that takes longer counts as slow. */
  readonly slowerThanMs: number
  /** The load ends by itself after so many requests of a workload. */
  readonly maxRequests: number
  readonly signal: AbortSignal
}

/** What the clients of one workload saw. */
export interface Tally {
  requests: number
  /** Answered with 5xx, or not at all. */
  failedRequests: number
  /** Answered well, but late. */
  slowRequests: number
  /** When the first request had failed; null: none yet. */
  firstFailedAtMs: number | null
  /** Requests that a cluster answered, by the cluster's name. */
  readonly answeredBy: Map<string, number>
}

export interface Load {
  readonly tallies: ReadonlyMap<string, Tally>
  /** Resolves when the last answer is there. */
  readonly done: Promise<void>
}

/** Sends requests at a steady rate, whether they are answered or not, as users do. */
export function startLoad(options: LoadOptions): Load {
  const agent = new Agent({ connections: MAX_OPEN })
  const tallies = new Map<string, Tally>()
  const streams = [...options.urls].map(([workload, url]) => {
    const tally: Tally = {
      requests: 0,
      failedRequests: 0,
      slowRequests: 0,
      firstFailedAtMs: null,
      answeredBy: new Map(),
    }
    tallies.set(workload, tally)
    return sendSteadily(url, tally, options, agent)
  })
  const done = Promise.all(streams).then(() => agent.close())
  return { tallies, done }
}

async function sendSteadily(url: string, tally: Tally, options: LoadOptions, agent: Agent): Promise<void> {
  const { requestsPerSecond, maxRequests, signal } = options
  const open = new Set<Promise<void>>()
  const startedMs = performance.now()
  let sent = 0
  while (!signal.aborted && sent < maxRequests) {
    const due = Math.min(maxRequests, ((performance.now() - startedMs) / 1000) * requestsPerSecond)
    for (; sent < due; sent += 1) {
      if (open.size >= MAX_OPEN) continue
      const answer = sendOne(url, tally, options, agent).finally(() => open.delete(answer))
      open.add(answer)
    }
    await sleep(TICK_MS)
  }
  await Promise.all(open)
}

async function sendOne(url: string, tally: Tally, options: LoadOptions, agent: Agent): Promise<void> {
  const startedMs = performance.now()
  const answer = await ask(url, agent)
  tally.requests += 1
  if (answer) tally.answeredBy.set(answer.cluster, (tally.answeredBy.get(answer.cluster) ?? 0) + 1)
  if (!answer || answer.status >= 500) {
    tally.failedRequests += 1
    tally.firstFailedAtMs ??= Date.now()
  } else if (performance.now() - startedMs > options.slowerThanMs) tally.slowRequests += 1
}

/** null: no answer. */
async function ask(url: string, dispatcher: Agent): Promise<{ status: number; cluster: string } | null> {
  try {
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      signal: AbortSignal.timeout(ANSWER_SECONDS * 1000),
    })
    await body.dump()
    return { status: statusCode, cluster: String(headers['x-cluster']) }
  } catch {
    // Whatever the reason, the client of this request went away empty-handed: that is what is counted.
    return null
  }
}
