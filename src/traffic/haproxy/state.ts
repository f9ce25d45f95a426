import { type Problem, problem } from '../../core/problem.ts'

/** What HAProxy says of one server. */
export interface ServerState {
  /** 0 to 256. */
  readonly weight: number
  /** Why it gets no traffic whatever its weight, as a clause; null: it does. */
  readonly idleBecause: string | null
}

// Bits of srv_admin_state (management guide, `show servers state`): maintenance forced, inherited or for want of an
// address; draining forced or inherited. Other bits tell where a setting came from.
const MAINTENANCE_BITS = 0x01 | 0x02 | 0x20
const DRAIN_BITS = 0x08 | 0x10

/** By srv_op_state: why such a server gets no traffic; null: it does. */
const OPERATIONAL_STATES: Readonly<Record<string, string | null>> = {
  '0': 'is down',
  '1': null,
  '2': null,
  '3': 'is stopping',
}

/**
 * Reads the answer to `show servers state BACKEND`: by server name; or TRAFFIC_NOT_FOUND for a backend that is not there,
 * TRAFFIC_REFUSED, TRAFFIC_BAD_ANSWER for a text of another form.
 */
export function parseServerStates(backend: string, answer: string): ReadonlyMap<string, ServerState> | Problem {
  if (/find backend|no such backend/i.test(answer))
    return problem('TRAFFIC_NOT_FOUND', `HAProxy has no backend ${backend}`)
  if (isRefusal(answer)) return refused(`to show ${backend}`, answer)
  const [version, header, ...rows] = answer.split('\n')
  if (version !== '1' || !header?.startsWith('# ')) return notUnderstood(answer)
  const columns = header.slice(2).split(' ')
  const states = new Map<string, ServerState>()
  for (const row of rows) {
    const cells = row.split(' ')
    const state = parseState((column) => cells[columns.indexOf(column)])
    const name = cells[columns.indexOf('srv_name')]
    if (state === null || name === undefined) return notUnderstood(row)
    states.set(name, state)
  }
  return states
}

function parseState(cell: (column: string) => string | undefined): ServerState | null {
  const weight = Number(cell('srv_uweight'))
  const adminState = Number(cell('srv_admin_state'))
  const operational = OPERATIONAL_STATES[cell('srv_op_state') ?? '']
  if (!Number.isInteger(weight) || !Number.isInteger(adminState) || operational === undefined) return null
  if (adminState & MAINTENANCE_BITS) return { weight, idleBecause: 'is in maintenance' }
  if (adminState & DRAIN_BITS) return { weight, idleBecause: 'is draining' }
  return { weight, idleBecause: operational }
}

/** A refusal in HAProxy's own words: TRAFFIC_NOT_FOUND for a server that went away, else TRAFFIC_REFUSED. */
export function refused(what: string, answer: string): Problem {
  const code = /no such/i.test(answer) ? 'TRAFFIC_NOT_FOUND' : 'TRAFFIC_REFUSED'
  const hint = isRefusal(answer) ? { hint: 'open the socket with `level admin`' } : {}
  return problem(code, `HAProxy refused ${what}: ${excerpt(answer)}`, hint)
}

function isRefusal(answer: string): boolean {
  return /permission denied/i.test(answer)
}

function notUnderstood(answer: string): Problem {
  return problem('TRAFFIC_BAD_ANSWER', `the state of servers was answered with ${excerpt(answer)}`, {
    hint: 'check that the socket is the runtime API of HAProxy 2.4 or newer',
  })
}

function excerpt(answer: string): string {
  return JSON.stringify(answer.slice(0, 120))
}
