/** Runs tasks one after the other. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve()

  take<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(task)
    this.last = result.catch(() => {})
    return result
  }

  /** Resolves when all that were taken so far have ended. */
  get idle(): Promise<unknown> {
    return this.last
  }
}
