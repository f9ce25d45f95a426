import type { Past } from './past.ts'
import type { World } from './world.ts'

/** What a decider says after a tick. `halt`: not further, a person should look; `revert`: back. */
export type Say = 'on' | 'halt' | 'revert'

/** One rollout's decider: it is asked after every tick, in order, with all that the source has told so far. */
export type Look = (past: Past, tick: number) => Say

/** A decider with its settings. */
export interface Peer {
  /** Whose idea it is, as the tables call it. */
  readonly family: string
  /** The knobs, for people. */
  readonly setting: string
  /** As its own documentation has it. */
  readonly isDefault: boolean
  /** Begins a rollout. */
  begin(): Look
}

/** A decider that needs more than the peers' windows. */
export type Begin = (world: World) => Look
