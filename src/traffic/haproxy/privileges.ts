import type { Privilege } from '../../ports/kind.ts'
import type { TrafficTarget } from '../../ports/traffic.ts'
import type { HaproxySettings } from './settings.ts'

/** HAProxy knows no finer rights than a level of a socket. */
export function privilegesFor(targets: readonly TrafficTarget<HaproxySettings>[]): readonly Privilege[] {
  const sockets = [...new Set(targets.map(({ settings }) => settings.socket))]
  return sockets.map((socket) => ({
    title: `HAProxy at ${socket}`,
    format: 'text',
    document: socket.startsWith('/')
      ? `stats socket ${socket} mode 660 level admin, and the user that runs Headgate in the group that owns it`
      : 'a `stats socket` of level admin on that port, which only the machine of Headgate can reach',
  }))
}
