import { createHash } from 'node:crypto'
import { formatPercent } from '../core/format.ts'
import { isMissing, type Missing } from '../core/observation.ts'
import { isHalt, type Standing } from '../core/state.ts'
import type { AlertmanagerConfig } from '../policy/schema-alertmanager.ts'
import type { Clock, Log } from '../ports/runtime.ts'
import type { AlertmanagerPlace, NewSilence, SilenceApi } from './api.ts'

/** Between two looks at what Alertmanager has, when nothing happens, ms. */
const LOOK_MS = 30_000
/** Between two tries while it does not answer, ms. */
const RETRY_MS = 5000

export interface SilenceKeeperDeps {
  readonly api: SilenceApi
  /** As of now: a reload counts at once. */
  readonly settings: () => AlertmanagerConfig | null
  /** The rollouts that this process decides about, as committed. */
  readonly states: () => readonly Standing[]
  /** Whether there is anything that it decides about. */
  readonly isLeading: () => boolean
  /** Whether it decides about this workload: the silences of others are not its own. */
  readonly decides: (workload: string) => boolean
  /** Names the silences that are this service's, whatever else asks the same Alertmanager. */
  readonly runId: string
  readonly clock: Clock
  readonly log: Log
}

/**
 * Sees to it that Alertmanager has a silence for each workload whose weight moves, and none else: level by level, from
 * what is committed, so that a crash at any point is mended by the next look. A silence that a person has ended stays so.
 */
export class SilenceKeeper {
  readonly #deps: SilenceKeeperDeps
  readonly #ending = new AbortController()
  #bell = new AbortController()
  #running: Promise<void> | null = null
  /** The keys of what Alertmanager was brought to, and when; null: to be asked. */
  #known: { readonly keys: ReadonlySet<string>; readonly atMs: number } | null = null
  #isFailing = false

  constructor(deps: SilenceKeeperDeps) {
    this.#deps = deps
  }

  /** Says that something was committed. Nothing is done before the first call: until then no state is known. */
  wake(): void {
    this.#bell.abort()
    this.#running ??= this.#run()
  }

  /** Ends. Silences stay until they end by themselves, or the next start finds no use for them. */
  async close(): Promise<void> {
    this.#ending.abort()
    this.#bell.abort()
    await this.#running
    await this.#deps.api.close()
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps
    while (!this.#ending.signal.aborted) {
      this.#bell = new AbortController()
      const failure = await this.#settle()
      this.#tell(failure)
      if (failure !== null) this.#known = null
      if (this.#ending.signal.aborted) return
      // While it does not answer, a commit is no reason to ask again.
      const until = failure === null ? this.#bell.signal : this.#ending.signal
      await clock.sleep(failure === null ? LOOK_MS : RETRY_MS, AbortSignal.any([until, this.#ending.signal]))
    }
  }

  /** Brings Alertmanager to what is wanted; null: it is there. */
  async #settle(): Promise<Missing | null> {
    const { api, settings, states, isLeading, decides, runId, clock } = this.#deps
    const config = settings()
    if (config?.url === undefined || !isLeading()) {
      this.#known = null
      return null
    }
    const place: AlertmanagerPlace = { url: config.url, auth: config.auth }
    const nowMs = clock.nowMs()
    const wanted = new Map(states().flatMap((state) => wantedFor(state, config, { runId, nowMs })))
    if (this.#isAsWanted(wanted, nowMs)) return null
    const listed = await api.list(place)
    if (isMissing(listed)) return listed
    const own = listed.flatMap((silence) => {
      const key = keyIn(silence.comment, runId)
      return key === null || !decides(workloadIn(key, runId)) ? [] : [{ ...silence, key }]
    })
    const keys = new Set(own.map(({ key }) => key))
    for (const [key, silence] of wanted) {
      // One that is there and over was ended by a person.
      if (keys.has(key) || this.#ending.signal.aborted) continue
      const added = await api.add(place, silence)
      if (isMissing(added)) return added
    }
    const needed = new Set(wanted.keys())
    for (const { key, id, isActive } of own) {
      // Of several with one key, which an answer that was lost may lead to, one stays.
      if (!isActive || needed.delete(key) || this.#ending.signal.aborted) continue
      const failure = await api.expire(place, id)
      if (failure !== null) return failure
    }
    this.#known = { keys: new Set(wanted.keys()), atMs: nowMs }
    return null
  }

  /** By what it was brought to when it was last asked, and that is not long ago. */
  #isAsWanted(wanted: ReadonlyMap<string, NewSilence>, nowMs: number): boolean {
    if (this.#known === null || Math.abs(nowMs - this.#known.atMs) >= LOOK_MS) return false
    const { keys } = this.#known
    return keys.size === wanted.size && [...wanted.keys()].every((key) => keys.has(key))
  }

  #tell(failure: Missing | null): void {
    // Told once: an Alertmanager that is away would fill the log otherwise.
    if (failure !== null && !this.#isFailing)
      this.#deps.log.warn({ why: failure.detail }, 'Alertmanager does not take silences; tried again')
    this.#isFailing = failure !== null
  }
}

/** The silence for a weight that was decided, until its step is over, or something halts it. */
function wantedFor(
  state: Standing,
  { silence }: AlertmanagerConfig,
  { runId, nowMs }: { readonly runId: string; readonly nowMs: number },
): readonly (readonly [string, NewSilence])[] {
  const { workload, phase, holds, intendedAtMs, intendedWeightPercent } = state
  if (silence === undefined || phase.name !== 'stepping' || holds.some(({ cause }) => isHalt(cause))) return []
  const endsAtMs = intendedAtMs + silence.atMostSeconds * 1000
  if (endsAtMs <= nowMs) return []
  const own = { label: silence.workloadLabel, op: '=', value: workload } as const
  const matchers = [...silence.matchers, own]
  // What is silenced is part of it: after a reload the old one may cover what reverts now.
  const hash = createHash('sha256').update(JSON.stringify(matchers)).digest('hex').slice(0, 8)
  const key = `run ${runId} ${workload} ${intendedAtMs} ${hash}`
  const comment = `[${key}] Headgate moves ${workload} to ${formatPercent(intendedWeightPercent)}, step ${phase.stepIndex + 1}; ended with the step`
  return [[key, { matchers, startsAtMs: nowMs, endsAtMs, comment }]]
}

/** The key that a comment of this run begins with; null: the silence is of another run, or of somebody else. */
function keyIn(comment: string, runId: string): string | null {
  const key = /^\[([^\]]+)\]/.exec(comment)?.[1]
  return key?.startsWith(`run ${runId} `) ? key : null
}

function workloadIn(key: string, runId: string): string {
  return key.slice(`run ${runId} `.length).split(' ')[0] ?? ''
}
