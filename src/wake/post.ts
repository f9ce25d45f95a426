/** Sends the same message at most once at a time: what is asked for meanwhile is one more, sent afterwards. */
export class Post {
  private sending: Promise<void> | null = null
  private isWantedAgain = false
  private readonly deliver: () => Promise<unknown>
  private readonly onFailed: (error: unknown) => void

  constructor(deliver: () => Promise<unknown>, onFailed: (error: unknown) => void) {
    this.deliver = deliver
    this.onFailed = onFailed
  }

  send(): void {
    // One that is under way may have been received before what this one is about.
    this.isWantedAgain = true
    this.sending ??= this.sendAll().finally(() => {
      this.sending = null
    })
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.sending) await this.sending
  }

  private async sendAll(): Promise<void> {
    while (this.isWantedAgain) {
      this.isWantedAgain = false
      await this.deliver().catch(this.onFailed)
    }
  }
}
