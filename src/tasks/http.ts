import { Agent, request as send } from 'undici'
import { Problem } from '../core/problem.ts'
import type { HttpTask } from '../core/task.ts'
import { readBounded } from '../shared/body.ts'
import { within } from '../shared/deadline.ts'
import { GuardedAddressError, guardedConnector } from '../shared/guard.ts'
import { SIGNATURE_HEADER, signatureOf } from '../shared/signature.ts'
import { clause, codeOf } from '../shared/text.ts'
import { type Attempt, type AttemptEnd, failed, passed, type RunAttempt, type TaskTools, trouble } from './attempt.ts'

const MAX_ANSWER_BYTES = 64 * 1024
/** Between two questions to whoever answered 202, unless it says when; seconds. */
const POLL_SECONDS = 3
const LONGEST_POLL_SECONDS = 60
/** Questions in a row that may fail while the work goes on over there. */
const POLL_TROUBLES = 5

/** Statuses below 500 that say nothing about the work. */
const BUSY: readonly number[] = [408, 425, 429]
/** Where the answer was to be is nothing any more: whoever took the work has forgotten it, and is given it again. */
const GONE: readonly number[] = [404, 410]

/** Asks a hook: a signed POST, asked again while the answer is 202. */
export const runHttp: RunAttempt<HttpTask> = async (attempt, tools) => {
  const { spec } = attempt
  const agent = new Agent({ allowH2: false, connect: guardedConnector(spec.allowAddresses, tools.lookup) })
  try {
    return await converse({ attempt, tools, agent })
  } finally {
    await agent.destroy()
  }
}

interface Talk {
  readonly attempt: Attempt<HttpTask>
  readonly tools: TaskTools
  readonly agent: Agent
}

interface Question {
  readonly method: 'POST' | 'GET'
  readonly url: string
}

interface Answer {
  readonly status: number
  /** The start of the body, on one line, without the key; for sentences. */
  readonly said: string
  readonly body: string
  readonly location: string | null
  /** What its Retry-After says; null: nothing. */
  readonly retryAfterSeconds: number | null
}

async function converse(talk: Talk): Promise<AttemptEnd> {
  const { attempt, tools } = talk
  const { spec, signal } = attempt
  let question: Question = { method: 'POST', url: spec.url }
  let isAccepted = false
  let troubles = 0
  for (;;) {
    const heard = await ask(question, talk)
    signal.throwIfAborted()
    const next = 'outcome' in heard ? heard : followUp(heard, question, spec)
    let pauseSeconds = POLL_SECONDS
    if ('outcome' in next) {
      troubles += 1
      // Once it was taken, the work goes on over there, whether a question is answered or not.
      if (next.outcome !== 'trouble' || !isAccepted || troubles >= POLL_TROUBLES) return next
    } else {
      question = next.question
      pauseSeconds = next.pauseSeconds
      isAccepted = true
      troubles = 0
      attempt.tell(`still running${next.said}`)
    }
    await tools.clock.sleep(pauseSeconds * 1000, signal)
    signal.throwIfAborted()
  }
}

interface StillRunning {
  readonly question: Question
  readonly pauseSeconds: number
  readonly said: string
}

function followUp(answer: Answer, question: Question, spec: HttpTask): StillRunning | AttemptEnd {
  const { status, said, retryAfterSeconds } = answer
  if (status === 202) {
    const next = nextQuestion(question, answer)
    if (next === null) return failed('answered 202 with a Location of another origin, which is not followed')
    return { question: next, pauseSeconds: retryAfterSeconds ?? POLL_SECONDS, said }
  }
  if (question.method === 'GET' && GONE.includes(status))
    return trouble(`answered 202, and then ${status} where it is to be asked`)
  return judge(answer, spec)
}

/** Where to ask next; null: somewhere else than the hook, where the guard of its address would not be of use. */
function nextQuestion(question: Question, { location }: Answer): Question | null {
  if (location === null) return question
  if (!URL.canParse(location, question.url)) return null
  const next = new URL(location, question.url)
  return next.origin === new URL(question.url).origin ? { method: 'GET', url: next.href } : null
}

function judge({ status, said, body, retryAfterSeconds }: Answer, { expectStatus, expectBody }: HttpTask): AttemptEnd {
  if (expectStatus.includes(status)) {
    if (expectBody === null || new RegExp(expectBody).test(body)) return passed(`answered ${status}${said}`)
    return failed(`answered ${status}, but the body does not match${said}`)
  }
  if (status >= 300 && status < 400) return failed(`answered ${status}; a redirect is not followed`)
  if (status >= 500 || BUSY.includes(status)) {
    const end = trouble(`answered ${status}${said}`)
    return retryAfterSeconds === null ? end : { ...end, retryAfterSeconds }
  }
  return failed(`answered ${status}, not ${expectStatus.join(' or ')}${said}`)
}

/** One request; what gave no answer is told without anything of the request itself. */
async function ask(question: Question, talk: Talk): Promise<Answer | AttemptEnd> {
  const { attempt, tools } = talk
  const { timeoutSeconds } = attempt.spec
  let isLate = false
  try {
    return await within(tools.clock, timeoutSeconds * 1000, (late) => {
      late.addEventListener('abort', () => {
        isLate = true
      })
      return exchange(question, talk, AbortSignal.any([late, attempt.signal]))
    })
  } catch (error) {
    if (error instanceof GuardedAddressError)
      return failed(`${error.message}: it is not asked, unless \`allowAddresses\` has it`)
    if (error instanceof Problem) return trouble(error.message)
    if (isLate) return trouble(`no whole answer within ${timeoutSeconds} s`)
    return trouble(`no answer (${codeOf(error)})`)
  }
}

async function exchange(
  { method, url }: Question,
  { attempt, tools, agent }: Talk,
  signal: AbortSignal,
): Promise<Answer | AttemptEnd> {
  const { request, spec } = attempt
  const key = spec.signingKey === null ? null : tools.secret(spec.signingKey)
  const body = method === 'POST' ? bodyOf(attempt) : ''
  const answer = await send(url, {
    dispatcher: agent,
    method,
    headers: {
      accept: '*/*',
      'user-agent': 'headgate',
      'idempotency-key': request.key,
      ...tools.tracer.headers(),
      ...(method === 'POST' && { 'content-type': 'application/json' }),
      ...(key !== null && { [SIGNATURE_HEADER]: signatureOf(body, key, tools.clock.nowMs()) }),
    },
    body: method === 'POST' ? body : null,
    signal,
  })
  const text = await readBounded(answer.body, MAX_ANSWER_BYTES)
  if (text === null) return failed(`answered ${answer.statusCode} with more than ${MAX_ANSWER_BYTES} bytes`)
  const start = clause(text, key === null ? [] : [key])
  const { location, 'retry-after': retryAfter } = answer.headers
  return {
    status: answer.statusCode,
    said: start === '' ? '' : `: ${start}`,
    body: text,
    location: typeof location === 'string' ? location : null,
    retryAfterSeconds: secondsOf(retryAfter),
  }
}

/** What the hook is told. The same in each question of a try; its tries differ in `attempt` alone. */
function bodyOf({ request, number }: Attempt<HttpTask>): string {
  const { workload, key, about } = request
  return JSON.stringify({ ...about, workload, key, attempt: number })
}

/** null: it does not say, or as a date, which is not worth a clock that two machines agree on. */
function secondsOf(retryAfter: string | string[] | undefined): number | null {
  if (typeof retryAfter !== 'string' || !/^\d{1,6}$/.test(retryAfter)) return null
  return Math.min(LONGEST_POLL_SECONDS, Math.max(1, Number(retryAfter)))
}
