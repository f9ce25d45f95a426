import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface FakeServer {
  weight: number
  adminState: number
  operationalState: number
}

/** HAProxy's runtime API as far as the adapter uses it, in this process, in the words of HAProxy 2.6. */
export interface FakeHaproxy {
  /** As the `socket` of a target. */
  readonly socketName: string
  /** By backend, then by server. */
  readonly backends: Map<string, Map<string, FakeServer>>
  /** Every command that came in. */
  readonly commands: string[]
  /** Answers a command with this text instead; null: as it should. */
  answerWith(answer: ((command: string) => string | null) | null): void
  /** Takes commands, and never answers. */
  hang(): void
  /** Closes each connection at its next command. */
  hangUp(): void
  stop(): Promise<void>
}

export async function startFakeHaproxy(backends: readonly string[]): Promise<FakeHaproxy> {
  const state = new Map(backends.map((name) => [name, new Map([server('old', 100), server('new', 0)])]))
  const commands: string[] = []
  const sockets = new Set<Socket>()
  let instead: ((command: string) => string | null) | null = null
  let mood: 'answers' | 'hangs' | 'hangs up' = 'answers'

  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A client that goes away in the middle is part of the tests.
    socket.on('error', () => socket.destroy())
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = `${text}${chunk}`.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) take(socket, line)
    })
  })
  function take(socket: Socket, command: string): void {
    commands.push(command)
    if (mood === 'hangs up') socket.destroy()
    if (mood !== 'answers') return
    const answer = instead?.(command) ?? answerTo(state, command)
    socket.write(answer === '' ? '\n> ' : `${answer}\n\n> `)
  }
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo

  return {
    socketName: `tcp://127.0.0.1:${port}`,
    backends: state,
    commands,
    answerWith(answer) {
      instead = answer
    },
    hang() {
      mood = 'hangs'
    },
    hangUp() {
      mood = 'hangs up'
    },
    stop: () =>
      new Promise((resolve) => {
        listener.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function server(name: string, weight: number): [string, FakeServer] {
  return [name, { weight, adminState: 0, operationalState: 2 }]
}

function answerTo(backends: FakeHaproxy['backends'], command: string): string {
  if (command === 'prompt') return ''
  const show = /^show servers state (\S+)$/.exec(command)
  if (show) {
    const servers = backends.get(show[1] ?? '')
    return servers ? stateOf(show[1] ?? '', servers) : "Can't find backend."
  }
  const set = /^set server (\S+)\/(\S+) weight (\d+)$/.exec(command)
  if (!set) return 'Unknown command.'
  const [, backend = '', name = '', weight] = set
  const target = backends.get(backend)?.get(name)
  if (!target) return backends.has(backend) ? 'No such server.' : 'No such backend.'
  if (Number(weight) > 256) return 'Absolute weight can only be between 0 and 256 inclusive.'
  target.weight = Number(weight)
  return ''
}

function stateOf(backend: string, servers: ReadonlyMap<string, FakeServer>): string {
  const header =
    '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port'
  const rows = [...servers].map(
    ([name, { weight, adminState, operationalState }], index) =>
      `2 ${backend} ${index + 1} ${name} 127.0.0.1 ${operationalState} ${adminState} ${weight} 1 1 1 0 2 0 0 0 0 - 1 - 0 0 - - 0`,
  )
  return ['1', header, ...rows].join('\n')
}
