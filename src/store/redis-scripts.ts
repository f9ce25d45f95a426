/**
 * The writes of the Redis store, each one Lua script: all of it or nothing. A script looks at everything before it writes
 * anything, because Redis does not take back what a script did; and its first write is one that Redis refuses when memory
 * is short, because later ones are not refused any more.
 *
 * All answer `[word, ...]`. The first keys are the head and the journal, the first arguments what the caller knows of the
 * store: identity, revision, journal head. Where that is not part of what is there, the answer is `lost` and the head.
 */
export const GUARD = `
local known = redis.call('HMGET', KEYS[1], 'identity', 'revision', 'journalSeq')
local isLost = known[1] ~= ARGV[1] or tonumber(known[2]) < tonumber(ARGV[2])
if not isLost and ARGV[3] ~= '0' then
  local row = redis.call('XRANGE', KEYS[2], ARGV[3] .. '-1', ARGV[3] .. '-1')[1]
  isLost = not row or row[2][2] ~= ARGV[4]
end
if isLost then return {'lost', known[1] or '', known[2] or '0', known[3] or '0'} end
`

/** KEYS: all fixed keys, the head first, then those of the main shard. ARGV: version, identity of a new store, '1' where one may be made. */
export const OPEN = `
if redis.call('EXISTS', KEYS[1]) == 0 then
  for index = 2, #KEYS do
    if redis.call('EXISTS', KEYS[index]) == 1 then return {'headless', KEYS[index]} end
  end
  if ARGV[3] ~= '1' then return {'empty'} end
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'identity', ARGV[2], 'revision', 0, 'places', 0, 'epoch', 0,
    'journalSeq', 0, 'journalHash', string.rep('0', 64))
  redis.call('ZADD', KEYS[2], 0, 'main')
  redis.call('HSET', KEYS[3], 'revision', 0, 'fence', 0, 'leaseToken', 0, 'leaseUntilMs', 0)
end
local version = redis.call('HGET', KEYS[1], 'version')
if version ~= ARGV[1] then return {'version', version or ''} end
return {'ok'}
`

/** The time of the caller, or '' for that of Redis itself: the clocks of several machines differ. */
export const NOW = `
local function timeOr(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
`

/** KEYS: head, journal, shard. ARGV: owner, ttlMs, nowMs or ''. */
export const LEASE = `${GUARD}${NOW}
local owner, ttl, now = ARGV[5], tonumber(ARGV[6]), timeOr(ARGV[7])
local lease = redis.call('HMGET', KEYS[3], 'leaseOwner', 'leaseToken', 'leaseUntilMs')
if not lease[2] then return {'gone'} end
local left = tonumber(lease[3]) - now
if lease[1] and lease[1] ~= owner and left > 0 then return {'held', lease[1], string.format('%.0f', left)} end
local token = tonumber(lease[2])
if lease[1] ~= owner then token = token + 1 end
redis.call('HSET', KEYS[3], 'leaseOwner', owner, 'leaseToken', token, 'leaseUntilMs', string.format('%.0f', now + ttl))
return {'ok', token}
`

/** KEYS: head, journal, shard. ARGV: owner, token. */
export const RELEASE = `${GUARD}
local lease = redis.call('HMGET', KEYS[3], 'leaseOwner', 'leaseToken')
if lease[1] == ARGV[5] and lease[2] == ARGV[6] then redis.call('HDEL', KEYS[3], 'leaseOwner') end
return {'ok'}
`

/** A commit that was given up, but is still on its way, must not come true after the next look: its fence is over. KEYS: as above. */
export const FENCE = `${GUARD}
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('HINCRBY', KEYS[3], 'fence', 1) end
return {'ok'}
`

/**
 * KEYS: head, journal, shard, rollouts, order, plans, inbox, consumed, homes, layout, tallies, shapes, then an index for each workload of
 * an event.
 * ARGV: shard, owner, token, revision, fence, the journal's seq and hash that the events were chained to, new revision, new seq, new
 * hash, five counts; then fact ids; plans as hash, JSON; shapes as hash, JSON; rollouts as workload, plan's hash or '', JSON of where it
 * stands, tally; events as seq, hash, JSON, place of the index among KEYS or 0, workload. Answers the number of the commit, among those of all shards.
 */
export const COMMIT = `${GUARD}
local shard = redis.call('HMGET', KEYS[3], 'leaseOwner', 'leaseToken', 'revision', 'fence')
if shard[1] ~= ARGV[6] or shard[2] ~= ARGV[7] then return {'lease', shard[2] or 'none'} end
if shard[3] ~= ARGV[8] then return {'revision', shard[3]} end
if shard[4] ~= ARGV[9] then return {'fence'} end
local journal = redis.call('HMGET', KEYS[1], 'journalSeq', 'journalHash')
if journal[1] ~= ARGV[10] or journal[2] ~= ARGV[11] then return {'journal'} end

local facts = 20
local plans = facts + tonumber(ARGV[15])
local shapes = plans + 2 * tonumber(ARGV[16])
local rollouts = shapes + 2 * tonumber(ARGV[17])
local events = rollouts + 4 * tonumber(ARGV[18])
local stop = events + 5 * tonumber(ARGV[19])
local seen = {}
for at = facts, plans - 1 do
  if seen[ARGV[at]] or not redis.call('ZSCORE', KEYS[7], ARGV[at]) then return {'fact', ARGV[at]} end
  seen[ARGV[at]] = true
end
local brought = {['']= true}
for at = plans, shapes - 1, 2 do brought[ARGV[at]] = true end
local shards = {}
for at = rollouts, events - 1, 4 do
  local hash = ARGV[at + 1]
  if not brought[hash] and redis.call('HEXISTS', KEYS[6], hash) == 0 then return {'plan', hash} end
  local migration = redis.call('HGET', KEYS[9], ARGV[at])
  if migration and not shards[migration] then shards[migration] = redis.call('HGET', KEYS[10], migration) or 'main' end
  local home = migration and shards[migration] or 'main'
  if home ~= ARGV[5] then return {'home', ARGV[at], home} end
end

local number = redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('HSET', KEYS[1], 'journalSeq', ARGV[13], 'journalHash', ARGV[14])
redis.call('HSET', KEYS[3], 'revision', ARGV[12])
for at = facts, plans - 1 do
  redis.call('ZREM', KEYS[7], ARGV[at])
  redis.call('HSET', KEYS[8], ARGV[at], number)
end
for at = plans, shapes - 1, 2 do redis.call('HSETNX', KEYS[6], ARGV[at], ARGV[at + 1]) end
for at = shapes, rollouts - 1, 2 do redis.call('HSETNX', KEYS[12], ARGV[at], ARGV[at + 1]) end
for at = rollouts, events - 1, 4 do
  -- What is the same is neither kept in the AOF nor sent to replicas again.
  if redis.call('HGET', KEYS[4], ARGV[at]) ~= ARGV[at + 2] and redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 2]) == 1 then
    redis.call('ZADD', KEYS[5], redis.call('HINCRBY', KEYS[1], 'places', 1), ARGV[at])
  end
  redis.call('HSET', KEYS[11], ARGV[at], ARGV[at + 3])
end
for at = events, stop - 1, 5 do
  local seq, index = ARGV[at], tonumber(ARGV[at + 3])
  if index == 0 then
    redis.call('XADD', KEYS[2], seq .. '-1', 'hash', ARGV[at + 1], 'event', ARGV[at + 2])
  else
    redis.call('XADD', KEYS[2], seq .. '-1', 'hash', ARGV[at + 1], 'event', ARGV[at + 2], 'workload', ARGV[at + 4])
    redis.call('ZADD', KEYS[index], seq, seq)
  end
end
return {'ok', number}
`

/**
 * KEYS: head, journal, facts, homes, layout. ARGV: the key of an inbox up to the name of its shard, then facts as id, JSON, workload or
 * ''. Answers a 1 for each that is new, a 0 for each that was there.
 */
export const PUT = `${GUARD}
local answers = {'ok'}
for at = 6, #ARGV, 3 do
  if redis.call('HEXISTS', KEYS[3], ARGV[at]) == 1 then answers[#answers + 1] = 0
  else
    local place = redis.call('HINCRBY', KEYS[1], 'places', 1)
    redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
    local migration = redis.call('HGET', KEYS[4], ARGV[at + 2])
    local shard = migration and redis.call('HGET', KEYS[5], migration) or 'main'
    redis.call('ZADD', ARGV[5] .. shard, place, ARGV[at])
    answers[#answers + 1] = 1
  end
end
return answers
`

/** KEYS: head, journal, cursors. ARGV: channel, JSON. */
export const CURSOR = `${GUARD}
redis.call('HSET', KEYS[3], ARGV[5], ARGV[6])
return {'ok'}
`
