import { runDemo } from '../../../examples/demo/demo.ts'
import type { Session } from '../session.ts'

/** `headgate demo`: a whole migration on this machine. Resolves with the demo's own exit code. */
export async function demo({ io, json }: Session, exit: boolean): Promise<number> {
  return runDemo({ ...io, exit, json })
}
