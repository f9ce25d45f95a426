import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net'

/** What is wrong with a network: it takes connections all the same. */
export const FAULTS = ['never answers', 'resets', 'half-closes'] as const
export type Fault = (typeof FAULTS)[number]

/** Stands before a server, and passes everything on until it is told to be a bad network. */
export interface FaultProxy {
  /** On 127.0.0.1. */
  readonly port: number
  /** Connections that the fault has met since `use`. */
  readonly met: number
  /** For all connections, those that are open too. null: the fault is over; what it met does not come back. */
  use(fault: Fault | null): void
  /** Stands before the server at another local port from now on; what is open breaks off. */
  moveTo(port: number): void
  stop(): Promise<void>
}

/** Called with what a client sends, before the server has it; the number tells connections apart. */
export type Tap = (text: string, connection: number) => void

/** Opens a proxy before the server at that path or local port. */
export async function openFaultProxy(
  server: { readonly path: string } | { readonly port: number },
  tap: Tap = () => {},
): Promise<FaultProxy> {
  const open = new Set<Pair>()
  let fault: Fault | null = null
  let [connections, met] = [0, 0]
  let place: NetConnectOpts = 'path' in server ? server : { ...server, host: '127.0.0.1' }
  const meet = (pair: Pair, now: Fault) => {
    met += 1
    spoil(pair, now)
  }
  const proxy = createServer({ allowHalfOpen: true }, (client) => {
    const number = ++connections
    const pair: Pair = { client, upstream: connect(place) }
    open.add(pair)
    join(
      pair,
      (text) => tap(text, number),
      () => open.delete(pair),
    )
    if (fault) meet(pair, fault)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    port: (proxy.address() as AddressInfo).port,
    get met() {
      return met
    },
    use: (next) => {
      fault = next
      met = 0
      for (const pair of open) {
        if (next) meet(pair, next)
        else pair.client.destroy()
      }
    },
    moveTo: (port) => {
      place = { port, host: '127.0.0.1' }
      for (const { client } of open) client.destroy()
    },
    stop: async () => {
      for (const { client } of open) client.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}

interface Pair {
  readonly client: Socket
  readonly upstream: Socket
}

function join({ client, upstream }: Pair, tap: (text: string) => void, closed: () => void): void {
  client.on('data', (chunk) => {
    tap(chunk.toString())
    upstream.write(chunk)
  })
  upstream.on('data', (chunk) => void client.write(chunk))
  client.on('end', () => upstream.end())
  upstream.on('end', () => client.end())
  // What stands behind a proxy breaks off with its other half, as a connection does.
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    socket.on('error', () => other.destroy())
    socket.on('close', () => {
      closed()
      other.destroy()
    })
  }
}

/** Nothing passes any more, either way. */
function spoil({ client, upstream }: Pair, fault: Fault): void {
  client.removeAllListeners('data').removeAllListeners('end').resume()
  upstream.removeAllListeners('data').removeAllListeners('end').resume()
  switch (fault) {
    case 'never answers':
      return
    case 'resets':
      client.resetAndDestroy()
      return
    case 'half-closes':
      client.end()
  }
}
