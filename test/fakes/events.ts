import { POD_NAMES, PODS, type Pod, type PodName, type Requests } from '../support/pods.ts'

/** One request that a server of evidence was told of. */
interface Event {
  readonly atMs: number
  readonly cluster: string
  readonly service: string
  readonly isBad: boolean
}

/** How many events of a group there were. */
export interface EventCount {
  readonly cluster: string
  readonly service: string
  readonly count: number
}

/** What the pods of `test/support/pods.ts` did, event by event, in a time of its own: what logs and traces are made of. */
export class Events {
  private readonly all: Event[] = []
  /** Ends of ticks, on whole seconds. */
  nowMs = 1_700_000_000_000
  readonly pods: Readonly<Record<PodName, Pod>>

  constructor() {
    const pod = (name: PodName) => [name, this.podOf(name)] as const
    this.pods = Object.fromEntries(POD_NAMES.map(pod)) as Record<PodName, Pod>
  }

  /** The tick of ten seconds that begins where the last one ended. */
  tick(): { readonly sinceMs: number; readonly atMs: number } {
    const sinceMs = this.nowMs
    this.nowMs += 10_000
    return { sinceMs, atMs: this.nowMs }
  }

  /** By group, in (sinceMs, atMs]; groups without any are not there. */
  count(which: 'all' | 'bad', sinceMs: number, atMs: number): readonly EventCount[] {
    const counted = this.all.filter(
      (event) => event.atMs > sinceMs && event.atMs <= atMs && (which === 'all' || event.isBad),
    )
    return [...Map.groupBy(counted, ({ cluster, service }) => `${cluster}/${service}`).values()].flatMap((events) => {
      const [first] = events
      return first ? [{ cluster: first.cluster, service: first.service, count: events.length }] : []
    })
  }

  /** Events end up in the tick that is asked for next. */
  private podOf(name: PodName): Pod {
    const ignore = () => {}
    const { cluster, service } = PODS[name]
    const add = (count: number, isBad: boolean) => {
      for (let index = 0; index < count; index++) this.all.push({ atMs: this.nowMs + 4000, cluster, service, isBad })
    }
    return {
      serve: ({ good = 0, bad = 0 }: Requests) => {
        add(good, false)
        add(bad, true)
      },
      restart: ignore,
      vanish: ignore,
      comeBack: ignore,
      useBounds: ignore,
    }
  }
}
