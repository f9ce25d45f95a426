import { z } from 'zod'
import { about, refuse } from '../../shared/schema.ts'

/** One backend of one HAProxy process, with its two servers. */
export const haproxySettings = z
  .strictObject({
    socket: z
      .string()
      .superRefine((text, ctx) => {
        if (addressOf(text) === null)
          refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no socket`, 'write an absolute path, or tcp://HOST:PORT')
      })
      .meta(about('The runtime API, of level admin: an absolute path, or tcp://HOST:PORT', '/run/haproxy/admin.sock')),
    backend: name().meta(about('The backend that holds both servers', 'checkout')),
    old: name().meta(about('Its server that leads to the old cluster', 'blue')),
    new: name().meta(about('Its server that leads to the new cluster', 'green')),
  })
  .superRefine((settings, ctx) => {
    if (settings.old === settings.new)
      refuse(ctx, 'CONFIG_DUPLICATE', `old and new are both ${settings.old}`, 'name two servers of the backend')
  })

export type HaproxySettings = z.output<typeof haproxySettings>

/** A name becomes part of commands: what HAProxy does not take in a name must not get there either. */
function name() {
  return z.string().superRefine((text, ctx) => {
    if (!/^[A-Za-z0-9_.:-]{1,200}$/.test(text))
      refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no name that HAProxy takes`, 'use letters, digits, - _ . :')
  })
}

/** Where `net.connect` finds the runtime API; null: the text names no such place. */
export function addressOf(socket: string): { path: string } | { host: string; port: number } | null {
  // The kernel takes 107 bytes of path at most.
  if (/^\/[^\s\0]{1,106}$/.test(socket)) return { path: socket }
  const match = /^tcp:\/\/(?:\[([0-9a-fA-F:]+)\]|([^/:@\s]+)):(\d{1,5})$/.exec(socket)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : null
}
