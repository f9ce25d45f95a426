import { formatPercent } from '../core/format.ts'
import { isMissing, type Missing } from '../core/observation.ts'
import { isHalt, type RolloutState } from '../core/state.ts'
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
  /** The rollouts, as committed. */
  readonly states: () => readonly RolloutState[]
  /** Names the silences that are this service's, whatever else asks the same Alertmanager. */
  readonly runId: string
  readonly clock: Clock
  readonly log: Log
}

interface Own {
  readonly id: string
  readonly isActive: boolean
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
  /** What Alertmanager had of ours when it was last asked, by key; null: to be asked. */
  #known: { readonly silences: ReadonlyMap<string, Own>; readonly atMs: number } | null = null
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
    const { api, settings, states, runId, clock } = this.#deps
    const config = settings()
    if (config?.url === undefined) return null
    const place: AlertmanagerPlace = { url: config.url, auth: config.auth }
    const nowMs = clock.nowMs()
    const wanted = new Map(states().flatMap((state) => wantedFor(state, config, { runId, nowMs })))
    if (this.#isAsWanted(wanted, nowMs)) return null
    const listed = await api.list(place)
    if (isMissing(listed)) return listed
    // One that is active counts before its forerunner that is over.
    const own = listed.toSorted((a, b) => Number(a.isActive) - Number(b.isActive))
    const known = new Map(own.flatMap((one) => entryOf(one, runId)))
    for (const [key, silence] of wanted) {
      if (known.has(key)) continue
      const added = await api.add(place, silence)
      if (isMissing(added)) return added
      known.set(key, { id: added.id, isActive: true })
    }
    for (const [key, { id, isActive }] of known) {
      if (!isActive || wanted.has(key)) continue
      const failure = await api.expire(place, id)
      if (failure !== null) return failure
      known.set(key, { id, isActive: false })
    }
    this.#known = { silences: known, atMs: nowMs }
    return null
  }

  /** By what Alertmanager had when it was last asked, and that is not long ago. */
  #isAsWanted(wanted: ReadonlyMap<string, NewSilence>, nowMs: number): boolean {
    if (this.#known === null || Math.abs(nowMs - this.#known.atMs) >= LOOK_MS) return false
    const { silences } = this.#known
    return (
      [...wanted.keys()].every((key) => silences.has(key)) &&
      [...silences].every(([key, one]) => !one.isActive || wanted.has(key))
    )
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
  state: RolloutState,
  { silence }: AlertmanagerConfig,
  { runId, nowMs }: { readonly runId: string; readonly nowMs: number },
): readonly (readonly [string, NewSilence])[] {
  const { workload, phase, holds, intendedAtMs, intendedWeightPercent } = state
  if (silence === undefined || phase.name !== 'stepping' || holds.some(({ cause }) => isHalt(cause))) return []
  const endsAtMs = intendedAtMs + silence.atMostSeconds * 1000
  if (endsAtMs <= nowMs) return []
  const key = keyOf(runId, workload, intendedAtMs)
  const own = { label: silence.workloadLabel, op: '=', value: workload } as const
  const comment = `[${key}] Headgate moves ${workload} to ${formatPercent(intendedWeightPercent)}, step ${phase.stepIndex + 1}; ended with the step`
  return [[key, { matchers: [...silence.matchers, own], startsAtMs: nowMs, endsAtMs, comment }]]
}

function keyOf(runId: string, workload: string, intendedAtMs: number): string {
  return `run ${runId} ${workload} ${intendedAtMs}`
}

function entryOf(one: { readonly id: string; readonly comment: string; readonly isActive: boolean }, runId: string) {
  const key = /^\[([^\]]+)\]/.exec(one.comment)?.[1]
  return key?.startsWith(`run ${runId} `) ? [[key, { id: one.id, isActive: one.isActive }] as const] : []
}
