/** Time and waiting. The only way to either. */
export interface Clock {
  /** The wall's: milliseconds since 1970. May jump. */
  nowMs(): number
  /** Milliseconds since some moment before the process began. Never jumps, and may stand still while the machine is suspended. */
  monotonicMs(): number
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Chance: ids and jitter. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** A fresh id, 26 characters, sorted by time. */
  id(): string
}

/** Says which workloads are due. */
export interface Wakeups {
  /** Resolves with the next due work; null after `close`. Wakes that come meanwhile are merged. */
  next(): Promise<Wake | null>
  /** Makes these workloads due at once. */
  urgent(workloads: readonly string[]): void
  close(): Promise<void>
}

export type Wake = { readonly kind: 'sweep' } | { readonly kind: 'urgent'; readonly workloads: readonly string[] }

/** Structured log. Fields never hold a secret. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What the engine tells about itself. Names and labels are in `telemetry/`. */
export interface Meter {
  /** A sweep ended. */
  sweep(seconds: number, outcome: 'committed' | 'conflict' | 'failed'): void
  /** A call to something outside ended. */
  call(kind: 'source' | 'probe' | 'traffic-read' | 'traffic-write', name: string, seconds: number, ok: boolean): void
  /** Events were committed. */
  events(rows: readonly import('../core/event.ts').JournalRow[]): void
  /** A config was taken (`true`) or refused. */
  reload(ok: boolean): void
}
