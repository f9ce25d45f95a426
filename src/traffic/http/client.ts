import { Agent, request } from 'undici'
import type { Problem } from '../../core/problem.ts'
import { readBounded } from '../../shared/body.ts'
import { connectionProblem } from '../failure.ts'
import { badAnswer, parseSplits, refusal, type Splits } from './protocol.ts'

/** Some 50,000 splits. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

export interface Call {
  readonly method: 'GET' | 'PATCH'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  /** The bearer token, or null. */
  readonly token: string | null
  readonly timeoutMs: number
}

/** Talks to one provider, over connections that are kept. */
export class HttpClient {
  readonly #url: string
  readonly #agent = new Agent({ allowH2: false })

  constructor(baseUrl: string) {
    this.#url = `${baseUrl}/v1/splits`
  }

  /** One call; resolves with the splits of the answer, or with why there are none. Never rejects. */
  async call(call: Call, signal: AbortSignal): Promise<Splits | Problem> {
    try {
      return await this.#send(call, AbortSignal.any([signal, AbortSignal.timeout(call.timeoutMs)]))
    } catch (error) {
      return connectionProblem(this.#url, error, signal)
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #send({ method, headers, body, token }: Call, signal: AbortSignal): Promise<Splits> {
    const answer = await request(this.#url, {
      dispatcher: this.#agent,
      method,
      headers: {
        accept: 'application/json',
        ...headers,
        ...(body !== null && { 'content-type': 'application/json' }),
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body,
      signal,
    })
    const text = await readBounded(answer.body, MAX_ANSWER_BYTES)
    if (text === null) throw badAnswer(`an answer of more than ${MAX_ANSWER_BYTES} bytes`)
    if (answer.statusCode !== 200) throw refusal(answer.statusCode, text, token)
    return parseSplits(text)
  }
}
