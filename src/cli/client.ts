import { z } from 'zod'
import type { ReportQuery } from '../api/options.ts'
import {
  type JournalPageJson,
  type JournalRowJson,
  journalPageSchema,
  journalRowSchema,
  journalVerdictSchema,
  problemSchema,
  refusalSchema,
  type StatusJson,
  type SubmittedJson,
  type SubmittedToAllJson,
  statusSchema,
  submittedSchema,
  submittedToAllSchema,
  type WorkloadDetailJson,
  type WorkloadJson,
  workloadDetailSchema,
  workloadSchema,
} from '../api/wire.ts'
import { type DecommissionJson, decommissionSchema } from '../api/wire-decommission.ts'
import { type FleetJson, fleetsSchema } from '../api/wire-fleet.ts'
import { type ReloadedJson, reloadedSchema } from '../api/wire-reload.ts'
import type { COMMANDS_TO_ALL, CommandName } from '../core/observation.ts'
import { Problem, type ProblemJson, problem } from '../core/problem.ts'
import type { JournalQuery } from '../ports/store.ts'
import type { JournalHead, JournalVerdict } from '../shared/journal-chain.ts'
import { parseJson } from '../shared/json.ts'
import { readEvents } from './sse.ts'
import { type Answer, type Asking, type ClientTls, fetchOver, tlsHint } from './tls.ts'

export interface ClientOptions {
  /** Where the API listens. */
  readonly url: string
  /** null: ask without one. */
  readonly token: string | null
  /** null: the usual authorities are trusted, and no certificate is shown. */
  readonly tls?: ClientTls | null
  /** Ends every request. */
  readonly signal: AbortSignal
}

export interface CommandToAllBody {
  readonly command: (typeof COMMANDS_TO_ALL)[number]
  readonly reason: string
  /** Only the workloads of this wave; left out: of all. */
  readonly wave?: string
  /** Only the workloads of this migration; left out: of all. */
  readonly migration?: string
}

export interface CommandBody {
  readonly command: CommandName
  readonly reason: string
  readonly force: boolean
}

/**
 * Headgate's API as functions. Each throws what the API refused with, or API_UNREACHABLE; when the signal aborts, its
 * reason.
 */
export interface Client {
  status(): Promise<StatusJson>
  workloads(): Promise<readonly WorkloadJson[]>
  /** Each migration as a whole. */
  fleets(): Promise<readonly FleetJson[]>
  workload(name: string): Promise<WorkloadDetailJson>
  /** Whether OLD may go, for one workload or for all. */
  decommission(workload?: string): Promise<DecommissionJson>
  journal(query: JournalQuery): Promise<JournalPageJson>
  /** The text of a report. */
  report(query: ReportQuery): Promise<string>
  /** Has the service read its whole journal; `expected` must be part of the chain. */
  verifyJournal(expected: JournalHead | null): Promise<JournalVerdict>
  command(workload: string, body: CommandBody): Promise<SubmittedJson>
  /** Says it to every workload that it fits. */
  commandAll(body: CommandToAllBody): Promise<SubmittedToAllJson>
  /** Has the config read again. Throws a `Refusal` with all problems, for which the old one stays. */
  reload(): Promise<ReloadedJson>
  /** Rows after `afterSeq` as they come, until the connection ends. `onOpen` is called once it stands. */
  stream(query: Omit<JournalQuery, 'limit'>, onOpen?: () => void): AsyncGenerator<JournalRowJson>
}

const REQUEST_TIMEOUT_MS = 10_000
/** For what reads a whole journal. */
const LONG_TIMEOUT_MS = 120_000

type AskOptions = Omit<Asking, 'signal'> & { readonly timeoutMs?: number }

export function createClient({ url, token, tls = null, signal }: ClientOptions): Client {
  const base = parseBase(url)
  if (base.protocol === 'http:' && tls?.cert !== undefined)
    throw problem('CLI_USAGE', 'a certificate is shown over https alone', { hint: 'write https:// in --url' })
  const fetch = fetchOver(tls)

  async function send(path: string, asking: Asking): Promise<Answer> {
    const headers = {
      accept: 'application/json',
      ...asking.headers,
      ...(token && { authorization: `Bearer ${token}` }),
    }
    try {
      const response = await fetch(new URL(path, base), { ...asking, headers })
      if (!response.ok) throw refusalOf(response.status, parseJson(await response.text()), base)
      return response
    } catch (error) {
      signal.throwIfAborted()
      throw error instanceof Problem ? error : unreachableAt(base, error)
    }
  }

  async function ask<T>(schema: z.ZodType<T>, path: string, options: AskOptions = {}): Promise<T> {
    const { timeoutMs = REQUEST_TIMEOUT_MS, ...init } = options
    const timeout = AbortSignal.timeout(timeoutMs)
    const response = await send(path, { ...init, signal: AbortSignal.any([signal, timeout]) })
    const answer = schema.safeParse(parseJson(await textOf(response)))
    if (!answer.success) throw notHeadgate(base)
    return answer.data
  }

  async function textOf(response: Answer): Promise<string> {
    try {
      return await response.text()
    } catch (error) {
      signal.throwIfAborted()
      throw unreachableAt(base, error)
    }
  }

  async function* stream(query: Omit<JournalQuery, 'limit'>, onOpen = () => {}): AsyncGenerator<JournalRowJson> {
    const headers = { accept: 'text/event-stream' }
    const response = await send(`api/v1/stream?${queryText(query)}`, { headers, signal })
    if (!response.body) throw notHeadgate(base)
    onOpen()
    try {
      for await (const { event, data } of readEvents(response.body)) {
        if (event === 'message') yield journalRowSchema.parse(JSON.parse(data))
      }
    } catch (error) {
      signal.throwIfAborted()
      throw unreachableAt(base, error)
    }
  }

  return {
    status: () => ask(statusSchema, 'api/v1/status'),
    workloads: async () => (await ask(z.object({ workloads: z.array(workloadSchema) }), 'api/v1/workloads')).workloads,
    fleets: async () => (await ask(fleetsSchema, 'api/v1/fleet')).migrations,
    workload: (name) => ask(workloadDetailSchema, `api/v1/workloads/${encodeURIComponent(name)}`),
    decommission: (workload) =>
      ask(
        decommissionSchema,
        `api/v1/decommission${workload === undefined ? '' : `?${new URLSearchParams({ workload })}`}`,
      ),
    journal: (query) => ask(journalPageSchema, `api/v1/journal?${queryText(query)}`),
    report: async ({ format, migration, plotPath }) => {
      const query = new URLSearchParams({
        format,
        ...(migration !== null && { migration }),
        ...(plotPath !== null && { plots: plotPath }),
      })
      const timeout = AbortSignal.timeout(LONG_TIMEOUT_MS)
      return textOf(await send(`api/v1/report?${query}`, { signal: AbortSignal.any([signal, timeout]) }))
    },
    verifyJournal: (expected) => {
      const query = expected === null ? '' : `?seq=${expected.seq}&hash=${expected.hash}`
      return ask(journalVerdictSchema, `api/v1/journal/verify${query}`, { timeoutMs: LONG_TIMEOUT_MS })
    },
    command: (workload, body) =>
      ask(submittedSchema, `api/v1/workloads/${encodeURIComponent(workload)}/commands`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    commandAll: (body) =>
      ask(submittedToAllSchema, 'api/v1/commands', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    reload: () => ask(reloadedSchema, 'api/v1/reload', { method: 'POST', timeoutMs: LONG_TIMEOUT_MS }),
    stream,
  }
}

function parseBase(url: string): URL {
  const base = URL.parse(url.endsWith('/') ? url : `${url}/`)
  if (!base || !/^https?:$/.test(base.protocol))
    throw problem('CLI_USAGE', 'the address of Headgate is no http or https URL', {
      hint: 'set --url or HEADGATE_URL, e.g. http://127.0.0.1:7474',
    })
  if (base.username || base.password)
    throw problem('CLI_USAGE', 'the address of Headgate carries credentials', {
      hint: 'put the token into HEADGATE_TOKEN, or name a --token-file',
    })
  return base
}

function queryText(query: Partial<JournalQuery>): string {
  const pairs = Object.entries(query).map(([key, value]): [string, string] => [key, String(value)])
  return new URLSearchParams(pairs).toString()
}

const manySchema = z.object({ problems: z.array(problemSchema) })

/** What the API refused with. */
export class Refusal extends Problem {
  /** Of a config that was refused: all that is wrong with it. */
  readonly problems: readonly ProblemJson[]

  constructor(json: ProblemJson, problems: readonly ProblemJson[]) {
    super(json)
    this.problems = problems
  }
}

function refusalOf(status: number, body: unknown, base: URL): Problem {
  const refusal = refusalSchema.safeParse(body)
  if (!refusal.success) return notHeadgate(base, `status ${status}`)
  const { requestId, ...json } = refusal.data
  const hint = json.code === 'API_UNAUTHENTICATED' ? hintAtToken(json.hint) : json.hint
  const cause = json.code === 'API_INTERNAL' ? `${json.cause}, request ${requestId}` : json.cause
  return new Refusal({ ...json, hint, cause }, manySchema.safeParse(body).data?.problems ?? [])
}

// The API speaks of the header; at a terminal it is the variable that is to be set.
function hintAtToken(hint: string): string {
  return hint.includes('Authorization') ? 'set HEADGATE_TOKEN, or name a --token-file' : hint
}

function notHeadgate(base: URL, what = 'something else'): Problem {
  return problem('API_UNREACHABLE', `${base.origin} answered with ${what}, not as Headgate does`)
}

function unreachableAt(base: URL, error: unknown): Problem {
  const isTimeout = error instanceof Error && error.name === 'TimeoutError'
  const reason = isTimeout ? 'no answer in time' : reasonOf(error)
  const hint = tlsHint(reason)
  return problem('API_UNREACHABLE', `${base.origin}: ${reason}`, { from: error, ...(hint && { hint }) })
}

// fetch says only "fetch failed"; what failed is in the cause.
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return 'no connection'
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}
