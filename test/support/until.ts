import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 25
/** Far beyond what anything here takes, on a machine that does much else besides: it only ends what would never come. */
const GIVE_UP_MS = 240_000

/**
 * Asks again and again until the answer is neither null, undefined nor false, and resolves with it. `describe` tells
 * how things stand when it gives up.
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  describe: () => string | Promise<string> = () => '',
  giveUpMs: number = GIVE_UP_MS,
): Promise<Exclude<T, null | undefined | false>> {
  const startedMs = performance.now()
  for (;;) {
    const answer = await ask()
    if (answer !== null && answer !== undefined && answer !== false)
      return answer as Exclude<T, null | undefined | false>
    if (performance.now() - startedMs > giveUpMs) throw new Error(`${what}: it never came. ${await describe()}`)
    await sleep(POLL_MS)
  }
}

/** Tries again and again until it throws nothing; throws what it threw last when it gives up. */
export async function untilHolds(expectation: () => void | Promise<void>): Promise<void> {
  let complaint: unknown
  const holds = async () => {
    try {
      await expectation()
      return true
    } catch (error) {
      complaint = error
      return false
    }
  }
  await until('what is expected', holds).catch(() => {
    throw complaint
  })
}
