import { afterEach, beforeEach } from 'vitest'
import type { TrafficScope, WeightChange, WeightReading, WriteResult } from '../../src/ports/traffic.ts'
import { type FakePowerdns, startFakePowerdns } from '../fakes/powerdns.ts'
import { anyLongWhile, OLD, openZone, readOnce, readSettled, recordOf } from './powerdns-scope.ts'
import { luaContent, putRrsets } from './powerdns-user.ts'

/** A fake PowerDNS, new for each test, whose zone has the plain records `a` and `b`, led to OLD; and a scope of both. */
export interface FakeZone {
  readonly fake: FakePowerdns
  /** Another scope of the zone; it is closed with the test. */
  open(ids: readonly string[], settings?: object, account?: object): TrafficScope
  /** Puts records of one type in the place of those of a target. */
  put(id: string, type: string, ...contents: string[]): Promise<void>
  readOnce(id: string, from?: TrafficScope): Promise<WeightReading | undefined>
  /** Waits until nothing is pending. */
  read(id: string, from?: TrafficScope): Promise<WeightReading>
  write(changes: readonly WeightChange[], to?: TrafficScope): Promise<Readonly<Record<string, WriteResult>>>
  /** What `inspect` finds at `a`, as `level CODE`. */
  inspect(from?: TrafficScope): Promise<readonly string[]>
}

export function useFakeZone(): FakeZone {
  let fake: FakePowerdns
  let scope: TrafficScope
  const opened: TrafficScope[] = []
  const zone: FakeZone = {
    get fake() {
      return fake
    },
    open(ids, settings, account) {
      const one = openZone(fake, ids, settings, account)
      opened.push(one)
      return one
    },
    put: (id, type, ...contents) => putRrsets(fake, [{ name: recordOf(id), type, contents }]),
    readOnce: (id, from = scope) => readOnce(from, id),
    read: (id, from = scope) => readSettled(from, id),
    write: async (changes, to = scope) => Object.fromEntries(await to.write(changes, anyLongWhile())),
    inspect: async (from = scope) =>
      (await from.inspect(['a'], anyLongWhile())).map(({ level, problem }) => `${level} ${problem.code}`),
  }
  beforeEach(async () => {
    fake = await startFakePowerdns()
    scope = zone.open(['a', 'b'])
    await zone.put('a', 'A', OLD)
    await zone.put('b', 'A', OLD)
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()))
    await fake.stop()
  })
  return zone
}

/** An A record as one writes it by hand. */
export function lua(...entries: (readonly [weight: number, value: string])[]): string {
  return luaContent('A', entries)
}
