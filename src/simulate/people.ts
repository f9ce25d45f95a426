import { COMMANDS, type CommandName, type RoutedAlert } from '../core/observation.ts'
import { Problem } from '../core/problem.ts'
import type { Clock } from '../ports/runtime.ts'
import { byDeadline, within } from '../shared/deadline.ts'
import type { Chance } from './chance.ts'
import type { Process } from './process.ts'

/** A client waits so long for an answer, then asks another replica, ms. */
const PATIENCE_MS = 5_000
const TRIES = 8

/** What people say, by how often. */
const USUAL: readonly CommandName[] = [
  ...COMMANDS,
  'pause',
  'resume',
  'resume',
  'approve',
  'approve',
  'retry',
  'revert',
]

/** People and Alertmanager: they say each thing until somebody answers, and so perhaps twice. */
export class People {
  /** Facts that somebody was told are taken. */
  readonly promised = new Set<string>()
  private count = 0
  private readonly clock: Clock
  private readonly chance: Chance
  private readonly processes: readonly Process[]

  constructor(clock: Clock, chance: Chance, processes: readonly Process[]) {
    this.clock = clock
    this.chance = chance
    this.processes = processes
  }

  /** Any command, for this workload; what was said, for the trace. */
  sayAnything(workload: string): string {
    const command = this.chance.one(USUAL)
    this.say(command, workload, this.chance.is(0.3))
    return `${command} ${workload}`
  }

  say(command: CommandName, workload: string, force = false): void {
    const factId = `command-${++this.count}`
    const request = { factId, workload, command, reason: 'simulated', actor: 'ann', force, roles: [] }
    void this.insist(factId, async ({ running }) => {
      // As the API does before it answers.
      await running?.control.refresh()
      return (await running?.control.submit(request)) !== undefined
    })
  }

  /** An alert begins; calling what it returns ends it. */
  alert(workload: string, action: RoutedAlert['action']): () => void {
    const fingerprint = `alert-${++this.count}`
    const startsAtMs = this.clock.nowMs()
    const tell = (status: RoutedAlert['status']) => {
      const fact: RoutedAlert = {
        ...{ id: `${fingerprint}-${status}`, kind: 'alert', workload, status, action, concerns: 'new' },
        alert: { fingerprint, startsAtMs, sentence: `simulated ${fingerprint}` },
        receivedAtMs: this.clock.nowMs(),
      }
      void this.insist(fact.id, async ({ running }) => (await running?.alerts.take([fact])) !== undefined)
    }
    tell('firing')
    return () => tell('resolved')
  }

  private async insist(factId: string, ask: (process: Process) => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      if (await this.isTaken(ask(this.chance.one(this.processes)))) {
        this.promised.add(factId)
        // Some senders did not hear the answer, and say it again.
        if (!this.chance.is(0.2)) return
      }
      await this.clock.sleep(PATIENCE_MS)
    }
  }

  private async isTaken(answer: Promise<boolean>): Promise<boolean> {
    // What a client does that is refused, or not heard.
    const taken = answer.catch((error: unknown) => {
      if (error instanceof Problem) return false
      throw error
    })
    return within(this.clock, PATIENCE_MS, (signal) => byDeadline(taken, signal, () => false))
  }
}
