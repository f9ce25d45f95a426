import { type DestinationStream, destination as openDestination, pino, stdSerializers, stdTimeFunctions } from 'pino'
import type { Log } from '../ports/runtime.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LogOptions {
  /** The quietest level that is written; docs/logs.md says what each may be used for. */
  readonly level: LogLevel
  /** In each line that names none itself, asked for each; null: there are several. */
  readonly migration?: () => string | null
  /** In each line: names this run of the service. A rollout's own run id comes by `child`. */
  readonly runId?: string
  /** In each line, asked for each: the trace that it belongs to; null: none. */
  readonly traceId?: () => string | null
  /** Where lines go; stderr, unless a test wants them. */
  readonly destination?: DestinationStream
}

export interface RootLog extends Log {
  /** A log that has these fields in each line, too. */
  child(fields: object): RootLog
}

/** Keys whose values are never written, in a field and down to the depth below it. */
const SECRET_KEYS = [
  'authorization',
  'Authorization',
  'cookie',
  'Cookie',
  'password',
  'passphrase',
  'secret',
  'token',
  'bearer',
  'apiKey',
  'privateKey',
]
const SECRET_DEPTH = 4

/**
 * Structured log: JSON lines with `level`, `time` (ISO 8601, UTC), `msg` and the given fields. Redaction is a second
 * net: adapters never put a secret into a field to begin with.
 */
export function createLog({ level, migration = nothing, runId, traceId = nothing, destination }: LogOptions): RootLog {
  return pino(
    {
      level,
      base: { ...(runId !== undefined && { runId }) },
      mixin: () => {
        const [name, trace] = [migration(), traceId()]
        return { ...(name !== null && { migration: name }), ...(trace !== null && { traceId: trace }) }
      },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.err, error: stdSerializers.err },
      redact: { paths: secretPaths(), censor: '[redacted]' },
    },
    // Written at once: the line before a crash is the one that is needed.
    destination ?? openDestination({ dest: 2, sync: true }),
  )
}

function nothing(): null {
  return null
}

/** `token`, `*.token`, `*.*.token` and so on: pino's paths have no word for "anywhere". */
function secretPaths(): string[] {
  const prefixes = Array.from({ length: SECRET_DEPTH }, (_, depth) => '*.'.repeat(depth))
  return prefixes.flatMap((prefix) => SECRET_KEYS.map((key) => `${prefix}${key}`))
}
