/** As the port `Clock` has it. */
interface Sleeping {
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Does the work under a signal that aborts after `ms` of this clock. */
export async function within<T>(clock: Sleeping, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController()
  const isOver = new AbortController()
  void clock.sleep(ms, isOver.signal).then(() => {
    if (!isOver.signal.aborted) deadline.abort(new DOMException('the deadline came first', 'TimeoutError'))
  })
  try {
    return await work(deadline.signal)
  } finally {
    isOver.abort()
  }
}

/**
 * What the promise gives, or `late()` once the signal aborts: an adapter that forgets its deadline must not stop the
 * sweeps. What it still gives later is dropped.
 */
export function byDeadline<T>(promise: Promise<T>, signal: AbortSignal, late: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(late())
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}
