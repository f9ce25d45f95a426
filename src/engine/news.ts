import type { EventBody } from '../core/event.ts'

/** A config, as a shard takes it. */
export interface TakenConfig {
  readonly hash: string
  /** Workloads that begin with it, and those that it has no more. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** How many plans it has. */
  readonly plans: number
  readonly at: 'start' | 'reload'
}

/** That a config came is told once, by the main shard; another one tells what it changes there. */
export function newsOf(
  { hash, added, removed, plans, at }: TakenConfig,
  { version, isMain = true }: { readonly version: string; readonly isMain?: boolean },
): readonly EventBody[] {
  const loaded: EventBody = { type: 'config-loaded', hash, added, removed }
  if (!isMain) return added.length + removed.length > 0 ? [loaded] : []
  return at === 'start' ? [{ type: 'controller-started', version, workloads: plans }, loaded] : [loaded]
}
