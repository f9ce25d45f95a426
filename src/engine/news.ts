import type { EventBody } from '../core/event.ts'

/** What a shard has to tell of a config that it takes. */
export interface ConfigNews {
  readonly hash: string
  /** Workloads that begin with it, and those that it has no more. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Said at a start by the main shard; null: it is a reload. */
  readonly started: Extract<EventBody, { readonly type: 'controller-started' }> | null
  readonly isMain: boolean
}

/** That a config came is told once, by the main shard; another one tells what it changes there. */
export function newsOf({ hash, added, removed, started, isMain }: ConfigNews): readonly EventBody[] {
  const loaded: EventBody = { type: 'config-loaded', hash, added, removed }
  if (isMain) return started ? [started, loaded] : [loaded]
  return added.length + removed.length > 0 ? [loaded] : []
}
