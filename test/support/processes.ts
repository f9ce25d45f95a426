import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

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

/** Ports on 127.0.0.1 that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ports.push((server.address() as AddressInfo).port)
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
