import type { Plan } from '../core/plan.ts'
import type { ChannelConfig, NotifyConfig } from '../policy/config.ts'
import type { ChannelKind } from '../ports/channel.ts'
import type { AdapterContext } from '../ports/kind.ts'
import { itemOf, type Places } from './item.ts'
import { ChannelRunner, type RunnerDeps } from './runner.ts'

export interface NotifierDeps
  extends Pick<RunnerDeps, 'journal' | 'cursors' | 'clock' | 'random' | 'log' | 'count' | 'migrationOf' | 'mayTell'> {
  readonly kinds: readonly ChannelKind[]
  readonly context: AdapterContext
  /** The plan of a workload; null: it is not known. */
  readonly planOf: (workload: string) => Plan | null
}

interface Running {
  /** What it was started with, as text. */
  readonly from: string
  readonly runner: ChannelRunner
}

/** Tells people of committed events: each channel follows the journal by itself, so none holds up another. */
export class Notifier {
  readonly #deps: NotifierDeps
  #running: ReadonlyMap<string, Running> = new Map()
  #changing: Promise<void> = Promise.resolve()

  constructor(deps: NotifierDeps) {
    this.#deps = deps
  }

  /** Has these channels and no others; one that stays as it is goes on. Calls take turns. */
  use(notify: NotifyConfig, publicUrl: string | null): Promise<void> {
    this.#changing = this.#changing.then(() => this.#change(notify, publicUrl))
    return this.#changing
  }

  /** There may be new rows in the journal. Returns at once. */
  wake(): void {
    for (const { runner } of this.#running.values()) runner.wake()
  }

  close(): Promise<void> {
    return this.use({ runbookUrl: null, channels: [] }, null)
  }

  async #change({ channels, runbookUrl }: NotifyConfig, publicUrl: string | null): Promise<void> {
    const wanted = new Map(channels.map((channel) => [channel.name, JSON.stringify([channel, runbookUrl, publicUrl])]))
    const ending = [...this.#running].filter(([name, { from }]) => wanted.get(name) !== from)
    // The cursor is free when its last user has ended.
    await Promise.all(ending.map(([, { runner }]) => runner.close()))
    this.#running = new Map(
      channels.map((channel) => {
        const from = wanted.get(channel.name) ?? ''
        const before = this.#running.get(channel.name)
        if (before?.from === from) return [channel.name, before]
        return [channel.name, { from, runner: this.#start(channel, { runbookUrl, publicUrl }) }]
      }),
    )
  }

  #start(config: ChannelConfig, places: Places): ChannelRunner {
    const { kinds, context, planOf, ...deps } = this.#deps
    const kind = kindOf(kinds, config)
    return new ChannelRunner(config, kind.open(config.settings, context), kind.takes, {
      ...deps,
      itemOf: (row) => itemOf(row, row.event.workload === null ? null : planOf(row.event.workload), places),
    })
  }
}

/** The kind of a channel of a checked config. */
export function kindOf(kinds: readonly ChannelKind[], { name, kind }: ChannelConfig): ChannelKind {
  const found = kinds.find((one) => one.kind === kind)
  if (!found)
    throw new Error(`the channel ${name} is of no known kind: the schema lets a config pass that it should not`)
  return found
}
