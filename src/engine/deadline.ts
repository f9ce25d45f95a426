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
