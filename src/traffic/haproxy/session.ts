import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { problem } from '../../core/problem.ts'
import { addressOf } from './settings.ts'

/** HAProxy answers in well under a millisecond; one that hangs for so long is not going to. */
const TIMEOUT_MS = 5_000
/** Far above a backend with thousands of servers. */
const MAX_ANSWER_CHARACTERS = 16 * 1024 * 1024
/** In interactive mode every answer, an empty one too, ends with a line break and the prompt. */
const END_OF_ANSWER = '\n> '

/**
 * One connection to a runtime API, in interactive mode: commands go out one a line and all at once, each has one
 * answer, in order. Rejections are those of `node:net`, or TRAFFIC_BAD_ANSWER.
 */
export class Session {
  readonly #socket: Socket
  readonly #chunks: AsyncIterator<string>
  #text = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#chunks = socket[Symbol.asyncIterator]()
  }

  static async open(socketName: string, signal: AbortSignal): Promise<Session> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    deadline.throwIfAborted()
    const address = addressOf(socketName)
    if (address === null) throw problem('TRAFFIC_UNREACHABLE', `${socketName} is no socket`)
    const socket = connect({ ...address, noDelay: true, signal: deadline })
    socket.setEncoding('utf8')
    await once(socket, 'connect')
    const session = new Session(socket)
    await session.ask(['prompt'])
    return session
  }

  /** Sends the commands; resolves with one trimmed answer each. */
  async ask(commands: readonly string[]): Promise<readonly string[]> {
    const answers: string[] = []
    if (commands.length === 0) return answers
    this.#socket.write(`${commands.join('\n')}\n`)
    while (answers.length < commands.length) answers.push(await this.#nextAnswer())
    return answers
  }

  close(): void {
    this.#socket.destroy()
  }

  async #nextAnswer(): Promise<string> {
    let searchedUntil = 0
    for (;;) {
      const end = this.#text.indexOf(END_OF_ANSWER, searchedUntil)
      if (end >= 0) {
        const answer = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + END_OF_ANSWER.length)
        return answer.trim()
      }
      if (this.#text.length > MAX_ANSWER_CHARACTERS)
        throw problem('TRAFFIC_BAD_ANSWER', 'an answer of the runtime API does not end')
      searchedUntil = Math.max(0, this.#text.length - END_OF_ANSWER.length)
      const chunk = await this.#chunks.next()
      if (chunk.done) throw problem('TRAFFIC_UNREACHABLE', 'HAProxy closed the connection before it had answered')
      this.#text += chunk.value
    }
  }
}
