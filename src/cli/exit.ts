import type { ProblemCode } from '../core/problem.ts'

/** What the process ends with. docs/cli.md tells people, and a test compares. */
export const EXIT = {
  ok: 0,
  /** Something failed that none of the others names. */
  failed: 1,
  /** The command line or the config does not fit. */
  usage: 2,
  /** Headgate answered, and refused. */
  refused: 3,
  /** Nobody answers, or the token is not taken. */
  unreachable: 4,
  /** No outcome in time. */
  timeout: 5,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The exit code for a problem. */
export function exitCodeOf(code: ProblemCode): ExitCode {
  switch (code) {
    case 'CLI_TIMEOUT':
      return EXIT.timeout
    case 'CLI_USAGE':
      return EXIT.usage
    case 'API_UNREACHABLE':
    case 'API_UNAUTHENTICATED':
    case 'API_CERTIFICATE_REFUSED':
    case 'API_FORBIDDEN':
    case 'API_HOST_REFUSED':
      return EXIT.unreachable
    case 'API_NOT_FOUND':
    case 'API_BAD_REQUEST':
      return EXIT.refused
  }
  if (code.startsWith('CONFIG_')) return EXIT.usage
  return code.startsWith('COMMAND_') ? EXIT.refused : EXIT.failed
}
