import { z } from 'zod'

const NAME = /^[A-Za-z0-9_.:-]{1,200}$/
const SOCKET = /^(?:\/[^\0\s]{1,106}|tcp:\/\/[^/:@\s]+:\d{1,5})$/

/** One backend of one HAProxy process, with its two servers. Names become parts of commands: hence the strictness. */
export const haproxySettings = z.strictObject({
  socket: z
    .string()
    .regex(SOCKET, 'neither an absolute path nor tcp://HOST:PORT')
    .meta({
      description: 'The runtime API, of level admin: an absolute path, or tcp://HOST:PORT.',
      examples: ['/run/haproxy/admin.sock', 'tcp://10.0.0.5:9999'],
    }),
  backend: name().meta({ description: 'The backend that holds both servers.', examples: ['checkout'] }),
  old: name().meta({ description: 'Its server that leads to the old cluster.', examples: ['blue'] }),
  new: name().meta({ description: 'Its server that leads to the new cluster.', examples: ['green'] }),
})

export type HaproxySettings = z.output<typeof haproxySettings>

function name() {
  return z.string().regex(NAME, 'not a name that HAProxy takes: letters, digits, - _ . :')
}

/** Where `net.connect` finds the runtime API. */
export function addressOf(socket: string): { path: string } | { host: string; port: number } {
  if (!socket.startsWith('tcp://')) return { path: socket }
  const url = new URL(socket)
  return { host: url.hostname, port: Number(url.port) }
}
