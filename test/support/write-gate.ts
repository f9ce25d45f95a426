import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where a change of one pair of servers, which takes two commands, is stopped. */
export const CUTS = ['before HAProxy has it', 'half-way through it', 'before HAProxy’s answer'] as const
export type Cut = (typeof CUTS)[number]

/** Stands between Headgate and HAProxy's runtime API, and passes everything on, until it is told to stop a write. */
export interface WriteGate {
  /** As the `socket` of a target. */
  readonly socketName: string
  /** Stops the next write there, for as long as its connection lasts; resolves when it stands still. */
  cutNext(cut: Cut): Promise<void>
  stop(): Promise<void>
}

/** Opens a gate before the runtime API at `socketPath`. */
export async function openWriteGate(socketPath: string): Promise<WriteGate> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-gate-'))
  const socketName = join(folder, 'gate.sock')
  const open = new Set<Socket>()
  let armed: { readonly cut: Cut; readonly reached: () => void } | null = null
  const server = createServer((client) => {
    const proxy = connect({ path: socketPath })
    for (const [socket, other] of [
      [client, proxy],
      [proxy, client],
    ] as const) {
      open.add(socket)
      // What stands behind a gate breaks off with its other half, as a connection does.
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
    passOn(client, proxy, () => {
      const taken = armed
      armed = null
      return taken
    })
  })
  server.listen(socketName)
  await once(server, 'listening')
  return {
    socketName,
    cutNext: (cut) =>
      new Promise((reached) => {
        armed = { cut, reached }
      }),
    stop: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Headgate sends the two commands of a pair one after the other, each when the one before was answered. */
function passOn(
  client: Socket,
  proxy: Socket,
  takeArmed: () => { readonly cut: Cut; readonly reached: () => void } | null,
): void {
  let cutting: ReturnType<typeof takeArmed> = null
  let sets = 0
  let isCut = false
  client.on('data', (chunk) => {
    if (isCut) return
    const isSet = chunk.toString().startsWith('set server ')
    if (isSet && sets === 0) cutting = takeArmed()
    if (isSet && cutting) {
      sets += 1
      isCut = sets === (cutting.cut === 'before HAProxy has it' ? 1 : 2)
    }
    if (!isCut || cutting?.cut === 'before HAProxy’s answer') proxy.write(chunk)
    if (isCut && cutting?.cut !== 'before HAProxy’s answer') cutting?.reached()
  })
  proxy.on('data', (chunk) => {
    if (isCut) cutting?.reached()
    else client.write(chunk)
  })
}
