import type { Clock } from '../ports/runtime.ts'
import { KubernetesFailure } from '../shared/kubernetes/failure.ts'

interface Held {
  readonly answer: Promise<unknown>
  readonly atMs: number
  readonly keepMs: number
}

/**
 * Answers that many workloads want at one moment, asked once: five hundred workloads of one namespace are one list of its
 * ingresses. A failure is kept no longer than the call lasts; its deadline is that of whoever asked first.
 */
export class Recent {
  readonly #held = new Map<string, Held>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `key` names what is asked, and so the type of the answer. */
  get<T>(key: string, keepMs: number, ask: () => Promise<T | KubernetesFailure>): Promise<T | KubernetesFailure> {
    this.#forget()
    const held = this.#held.get(key)
    if (held !== undefined) return held.answer as Promise<T | KubernetesFailure>
    const answer = ask()
    const entry: Held = { answer, atMs: this.#clock.nowMs(), keepMs }
    this.#held.set(key, entry)
    void answer.then((value) => {
      if (value instanceof KubernetesFailure && this.#held.get(key) === entry) this.#held.delete(key)
    })
    return answer
  }

  #forget(): void {
    const nowMs = this.#clock.nowMs()
    for (const [key, { atMs, keepMs }] of this.#held) {
      const ageMs = nowMs - atMs
      // From before the clock went back: who knows how old it is.
      if (ageMs >= keepMs || ageMs < 0) this.#held.delete(key)
    }
  }
}
