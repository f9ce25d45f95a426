import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { isFree } from '../../examples/demo/free-port.ts'

const ours = new Set<ChildProcess>()

process.once('exit', () => {
  for (const child of ours) child.kill('SIGKILL')
})

/** Sees to it that the child does not outlive this process, even where a test forgot to stop it. */
export function endWithUs(child: ChildProcess): void {
  ours.add(child)
  child.once('exit', () => ours.delete(child))
}

/** Ends the child by the signal, unless it has ended already, and resolves when it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

/**
 * Below those that systems give to whoever asks for any port (from 32768 on Linux): whoever is given one of these keeps it
 * also while a server that had it is down, or not yet up.
 */
const [FIRST_PORT, LAST_PORT] = [10_000, 32_000] as const
/** Each process of the tests begins elsewhere, and goes on from there. */
let nextPort = randomInt(FIRST_PORT, LAST_PORT)

/** Ports on 127.0.0.1 that nobody listens on, all different, and given to nobody else here. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = nextPort
    nextPort = nextPort === LAST_PORT ? FIRST_PORT : nextPort + 1
    if (await isFree(port)) ports.push(port)
  }
  return ports
}
