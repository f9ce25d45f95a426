import type { Allowance, AllowanceLimits, AllowanceUse, Grant, OpenAllowance } from '../ports/quota.ts'
import type { Clock, Log } from '../ports/runtime.ts'
import { TokenLevels } from '../shared/token-levels.ts'
import type { RedisConnection } from './redis-connection.ts'
import { damaged } from './rows.ts'

/** A revert does not wait longer for Redis to answer, nor stands anybody before it in the way, ms. */
const PATIENCE_MS = 500
/** After Redis did not answer it is left alone for so long, ms. */
const AWAY_MS = 1_000
/** How much longer others make way for a revert than it needs to come back for its call, ms. */
const MAKE_WAY_MS = 250

/**
 * One key: the account's levels. ARGV: use (`revert`, `other` or `exhaust`), then calls a second and burst of the whole, and of others. By
 * the clock of Redis. A key that is not there is full; one that is full again goes. While a revert waits, in whichever replica,
 * others get nothing. Answers {1 or 0, ms to wait, what is left of the whole, of others}.
 */
const TAKE = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'atMs', 'whole', 'others', 'revertMs')
local elapsed = math.max(0, nowMs - (tonumber(held[1]) or nowMs)) / 1000
local use, wholeRate, wholeSize, othersRate, othersSize = ARGV[1], ARGV[2] + 0, ARGV[3] + 0, ARGV[4] + 0, ARGV[5] + 0
local function filled(tokens, rate, size) return math.min(size, (tonumber(tokens) or size) + elapsed * rate) end
local whole, others = filled(held[2], wholeRate, wholeSize), filled(held[3], othersRate, othersSize)
local revertMs = math.min(tonumber(held[4]) or 0, nowMs + 1000 / wholeRate + ${MAKE_WAY_MS})
local function waitMs(tokens, rate)
  if tokens >= 1 - 1e-9 then return 0 end
  return math.max(1, math.ceil((1 - tokens) / rate * 1000))
end
local wait = waitMs(whole, wholeRate)
if use == 'exhaust' then
  whole, others = 0, 0
elseif use == 'revert' then
  if wait == 0 then whole = whole - 1 else revertMs = nowMs + wait + ${MAKE_WAY_MS} end
else
  wait = math.max(wait, waitMs(others, othersRate), revertMs - nowMs)
  if wait == 0 then whole, others = whole - 1, others - 1 end
end
local function precise(number) return string.format('%.17g', number) end
redis.call('HSET', KEYS[1], 'atMs', precise(nowMs), 'whole', precise(whole), 'others', precise(others), 'revertMs', precise(revertMs))
local fullMs = math.max((wholeSize - whole) / wholeRate, (othersSize - others) / othersRate) * 1000
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(1, fullMs, revertMs - nowMs)))
return {wait == 0 and 1 or 0, precise(wait), precise(whole), precise(others)}
`

export interface RedisQuotaDeps {
  readonly clock: Clock
  readonly log: Log
}

/**
 * The calls of each account, counted in Redis for all replicas. Where Redis is away nobody knows what the others take: then reverts go on
 * by what this process last knew, and all else waits.
 */
export function createRedisAllowances(
  connection: RedisConnection,
  prefix: string,
  deps: RedisQuotaDeps,
): OpenAllowance {
  return (account, limits) =>
    new RedisAllowance(connection, `{${prefix}}:quota:${account}`, limits, { ...deps, account })
}

class RedisAllowance implements Allowance {
  private readonly connection: RedisConnection
  private readonly key: string
  private readonly limits: AllowanceLimits
  private readonly deps: RedisQuotaDeps & { readonly account: string }
  /** What Redis last said, and what has come and gone since. */
  private readonly known: TokenLevels
  /** By the clock that never jumps; null: Redis answers. */
  private awayUntilMs: number | null = null

  constructor(connection: RedisConnection, key: string, limits: AllowanceLimits, deps: RedisAllowance['deps']) {
    this.connection = connection
    this.key = key
    this.limits = limits
    this.deps = deps
    this.known = new TokenLevels(limits, () => deps.clock.monotonicMs())
  }

  async take(use: AllowanceUse): Promise<Grant> {
    const isLeftAlone = this.awayUntilMs !== null && this.deps.clock.monotonicMs() < this.awayUntilMs
    const grant = isLeftAlone ? null : await this.askInTime(use)
    if (grant !== null) return grant
    return use === 'revert' ? this.known.take(use) : { isTaken: false, waitMs: AWAY_MS }
  }

  exhaust(): void {
    this.known.exhaust()
    void this.askInTime('exhaust')
  }

  stand(): ReturnType<Allowance['stand']> {
    return this.known.stand()
  }

  /** null: Redis did not answer in time. A call that it grants later is lost. */
  private async askInTime(use: AllowanceUse | 'exhaust'): Promise<Grant | null> {
    const answered = new AbortController()
    const late = this.deps.clock.sleep(PATIENCE_MS, answered.signal).then(() => null)
    try {
      const grant = await Promise.race([this.ask(use), late])
      if (grant === null) this.noteAway(`no answer for ${PATIENCE_MS} ms`)
      else this.noteBack()
      return grant
    } catch (error) {
      this.noteAway(error instanceof Error ? error.message : String(error))
      return null
    } finally {
      answered.abort()
    }
  }

  private async ask(use: AllowanceUse | 'exhaust'): Promise<Grant> {
    const { whole, others } = this.limits
    const numbers = [whole.callsPerSecond, whole.burst, others.callsPerSecond, others.burst]
    const answer = await this.connection.write(TAKE, [this.key], [use, ...numbers])
    const [isTaken = Number.NaN, waitMs = Number.NaN, ...left] = answer.map(Number)
    const [wholeLeft = Number.NaN, othersLeft = Number.NaN] = left
    if (![isTaken, waitMs, wholeLeft, othersLeft].every(Number.isFinite)) throw damaged(this.key, 'is no quota')
    this.known.set({ whole: wholeLeft, others: othersLeft })
    return isTaken === 1 ? { isTaken: true } : { isTaken: false, waitMs: Math.max(1, waitMs) }
  }

  private noteAway(error: string): void {
    const { clock, log, account } = this.deps
    if (this.awayUntilMs === null)
      log.warn(
        { account, error },
        'the quota that replicas share is out of reach: reverts go on by what was left of it, all else waits',
      )
    this.awayUntilMs = clock.monotonicMs() + AWAY_MS
  }

  private noteBack(): void {
    if (this.awayUntilMs !== null) this.deps.log.info({ account: this.deps.account }, 'the shared quota is back')
    this.awayUntilMs = null
  }
}
