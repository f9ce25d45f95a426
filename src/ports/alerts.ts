import type { RoutedAlert, UnmatchedAlert } from '../core/observation.ts'

/** Where alerts go. */
export interface AlertIntake {
  /**
   * Puts them into the inbox, all or none, and wakes the engine. Durable when it resolves. By position: false where a fact
   * with this id was there before. Throws what the inbox throws.
   */
  take(facts: readonly (RoutedAlert | UnmatchedAlert)[]): Promise<readonly boolean[]>
}
