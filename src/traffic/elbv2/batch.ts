import { Problem, problem } from '../../core/problem.ts'
import type { Quota, QuotaUse } from '../../ports/quota.ts'
import { badAwsAnswer } from '../aws-call.ts'

/**
 * How many ARNs one call names: what DescribeTags takes (ELB API reference). For rules and listeners no number is
 * published; the same keeps an answer to one page.
 */
const MAX_ARNS = 20

/** Asks for these ARNs with one call; fails with TRAFFIC_NOT_FOUND when one of them is not there. */
export type AskFor<Value> = (
  arns: readonly string[],
  use: QuotaUse | 'taken',
  signal: AbortSignal,
) => Promise<ReadonlyMap<string, Value> | Problem>

/** Questions that scopes of one account ask at the same time, or while the quota lets none through, go in one call. */
export class Batches<Value> {
  readonly #open = new Map<QuotaUse, Batch<Value>>()

  /** Asks what this ARN has. `ask` is any scope's: they share an account. Never rejects. */
  of(arn: string, use: QuotaUse, quota: Quota, ask: AskFor<Value>, signal: AbortSignal): Promise<Value | Problem> {
    if (signal.aborted) return Promise.resolve(late(arn))
    const open = this.#open.get(use)
    if (open?.hasRoomFor(arn)) return open.join(arn, signal)
    const batch = new Batch<Value>()
    this.#open.set(use, batch)
    const joined = batch.join(arn, signal)
    batch.run(use, quota, ask, () => {
      if (this.#open.get(use) === batch) this.#open.delete(use)
    })
    return joined
  }
}

class Batch<Value> {
  readonly #waiting = new Map<string, ((answer: Value | Problem) => void)[]>()
  readonly #controller = new AbortController()
  #living = 0

  hasRoomFor(arn: string): boolean {
    return !this.#controller.signal.aborted && (this.#waiting.has(arn) || this.#waiting.size < MAX_ARNS)
  }

  /** Resolves with the answer, or when the signal aborts. The call is given up when all who wait for it have gone. */
  join(arn: string, signal: AbortSignal): Promise<Value | Problem> {
    this.#living += 1
    return new Promise((resolve) => {
      const leave = () => {
        this.#living -= 1
        if (this.#living === 0) this.#controller.abort(signal.reason)
        resolve(late(arn))
      }
      signal.addEventListener('abort', leave, { once: true })
      const waiting = this.#waiting.get(arn) ?? []
      waiting.push((answer) => {
        signal.removeEventListener('abort', leave)
        resolve(answer)
      })
      this.#waiting.set(arn, waiting)
    })
  }

  /** `close` is called when nobody may join any more. */
  async run(use: QuotaUse, quota: Quota, ask: AskFor<Value>, close: () => void): Promise<void> {
    const { signal } = this.#controller
    const isTaken = await quota.take(use, signal)
    close()
    if (!isTaken) return
    const arns = [...this.#waiting.keys()]
    const answers = await bisected(arns, 'taken', (some, next) => ask(some, next === 'taken' ? next : use, signal))
    for (const [arn, waiting] of this.#waiting)
      for (const answer of waiting) answer(answers.get(arn) ?? badAwsAnswer(`ELB answered without ${arn}`))
  }
}

/** One ARN that is gone fails the whole call: then each half is asked for itself. */
async function bisected<Value>(
  arns: readonly string[],
  use: 'taken' | 'more',
  ask: (arns: readonly string[], use: 'taken' | 'more') => Promise<ReadonlyMap<string, Value> | Problem>,
): Promise<ReadonlyMap<string, Value | Problem>> {
  const found = await ask(arns, use)
  if (!(found instanceof Problem)) return found
  if (arns.length === 1 || found.code !== 'TRAFFIC_NOT_FOUND') return new Map(arns.map((arn) => [arn, found]))
  const middle = Math.ceil(arns.length / 2)
  const left = await bisected(arns.slice(0, middle), 'more', ask)
  return new Map([...left, ...(await bisected(arns.slice(middle), 'more', ask))])
}

function late(arn: string): Problem {
  return problem('TRAFFIC_TIMEOUT', `ELB told nothing of ${arn} within the deadline`)
}
