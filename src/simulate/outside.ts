import type { Clock, Wakeups } from '../ports/runtime.ts'
import type { Calendar, TaskRunner } from '../ports/sight.ts'
import type { Chance } from './chance.ts'

/** A hook answers within this time, ms. */
const HOOK_MS = 15_000
const HOOK_FAILS = 0.15

/** What else there is beside traffic and metrics: a calendar, and those whom hooks ask. */
export class Outside {
  /** Since when the calendar is closed, the world's time in ms; null: it is open. */
  closedSinceMs: number | null = null
  /** By task: what whoever does it says, the same each time it is asked. */
  private readonly outcomes = new Map<string, 'passed' | 'failed'>()
  private readonly chance: Chance

  constructor(chance: Chance) {
    this.chance = chance
  }

  /** Of every migration. */
  readonly calendar: Calendar = {
    at: () => {
      const isOpen = this.closedSinceMs === null
      return { isOpen, sentence: isOpen ? 'nothing is closed' : 'it is closed, simulated', changesAtMs: null }
    },
  }

  /** Does the tasks of one process, which forgets them with its life. */
  runnerFor(clock: Clock): (wakeups: Wakeups) => TaskRunner {
    return (wakeups) => {
      const readings = new Map<string, ReturnType<TaskRunner['readings']>>()
      const set = (workload: string, key: string, reading: ReturnType<TaskRunner['readings']>[string]) =>
        readings.set(workload, { ...readings.get(workload), [key]: reading })
      const run = async (workload: string, key: string) => {
        await clock.sleep(this.chance.whole(0, HOOK_MS))
        const outcome = this.outcomes.get(key) ?? (this.chance.is(HOOK_FAILS) ? 'failed' : 'passed')
        this.outcomes.set(key, outcome)
        set(workload, key, { kind: outcome, atMs: clock.nowMs(), seconds: 1, detail: `simulated: ${outcome}` })
        wakeups.urgent([workload])
      }
      return {
        want: (requests) => {
          for (const { workload, key } of requests) {
            if (readings.get(workload)?.[key] !== undefined) continue
            set(workload, key, { kind: 'running', detail: 'simulated' })
            void run(workload, key)
          }
        },
        readings: (workload) => readings.get(workload) ?? {},
        close: async () => {},
      }
    }
  }
}
