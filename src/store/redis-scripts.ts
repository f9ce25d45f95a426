/**
 * The writes of the Redis store, each one Lua script: all of it or nothing. A script looks at everything before it writes
 * anything, because Redis does not take back what a script did; and its first write is one that Redis refuses when memory
 * is short, because later ones are not refused any more.
 *
 * All answer `[word, ...]`. The first keys are the head and the journal, the first arguments what the caller knows of the
 * store: identity, revision, journal head. Where that is not part of what is there, the answer is `lost` and the head.
 */
const GUARD = `
local known = redis.call('HMGET', KEYS[1], 'identity', 'revision', 'journalSeq')
local isLost = known[1] ~= ARGV[1] or tonumber(known[2]) < tonumber(ARGV[2])
if not isLost and ARGV[3] ~= '0' then
  local row = redis.call('XRANGE', KEYS[2], ARGV[3] .. '-1', ARGV[3] .. '-1')[1]
  isLost = not row or row[2][2] ~= ARGV[4]
end
if isLost then return {'lost', known[1] or '', known[2] or '0', known[3] or '0'} end
`

/** KEYS: all fixed keys, the head first. ARGV: version, identity of a new store, '1' where one may be made. */
export const OPEN = `
if redis.call('EXISTS', KEYS[1]) == 0 then
  for index = 2, #KEYS do
    if redis.call('EXISTS', KEYS[index]) == 1 then return {'headless', KEYS[index]} end
  end
  if ARGV[3] ~= '1' then return {'empty'} end
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'identity', ARGV[2], 'revision', 0, 'fence', 0, 'places', 0,
    'leaseToken', 0, 'leaseUntilMs', 0, 'journalSeq', 0, 'journalHash', string.rep('0', 64))
end
local version = redis.call('HGET', KEYS[1], 'version')
if version ~= ARGV[1] then return {'version', version or ''} end
return {'ok'}
`

/** ARGV: owner, ttlMs, nowMs or '' for the time of Redis itself: the clocks of several machines differ. */
export const LEASE = `${GUARD}
local owner, ttl, now = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local lease = redis.call('HMGET', KEYS[1], 'leaseOwner', 'leaseToken', 'leaseUntilMs')
local left = tonumber(lease[3]) - now
if lease[1] and lease[1] ~= owner and left > 0 then return {'held', lease[1], string.format('%.0f', left)} end
local token = tonumber(lease[2])
if lease[1] ~= owner then token = token + 1 end
redis.call('HSET', KEYS[1], 'leaseOwner', owner, 'leaseToken', token, 'leaseUntilMs', string.format('%.0f', now + ttl))
return {'ok', token}
`

/** ARGV: owner, token. */
export const RELEASE = `${GUARD}
local lease = redis.call('HMGET', KEYS[1], 'leaseOwner', 'leaseToken')
if lease[1] == ARGV[5] and lease[2] == ARGV[6] then redis.call('HDEL', KEYS[1], 'leaseOwner') end
return {'ok'}
`

/** A commit that was given up, but is still on its way, must not come true after the next look: its fence is over. */
export const FENCE = `${GUARD}
redis.call('HINCRBY', KEYS[1], 'fence', 1)
return {'ok'}
`

/**
 * KEYS: head, journal, rollouts, order, plans, inbox, consumed, then an index for each workload of an event.
 * ARGV: owner, token, revision, fence, new revision, new seq, new hash, four counts; then fact ids; plans as hash, JSON;
 * rollouts as workload, plan's hash or '', JSON; events as seq, hash, JSON, place of the index among KEYS or 0, workload.
 */
export const COMMIT = `${GUARD}
local head = redis.call('HMGET', KEYS[1], 'leaseOwner', 'leaseToken', 'revision', 'fence', 'journalSeq')
if head[1] ~= ARGV[5] or head[2] ~= ARGV[6] then return {'lease', head[2]} end
if head[3] ~= ARGV[7] then return {'revision', head[3]} end
if head[4] ~= ARGV[8] then return {'fence'} end
if head[5] ~= ARGV[3] then return {'lost', known[1], known[2], known[3]} end

local facts = 16
local plans = facts + tonumber(ARGV[12])
local rollouts = plans + 2 * tonumber(ARGV[13])
local events = rollouts + 3 * tonumber(ARGV[14])
local stop = events + 5 * tonumber(ARGV[15])
local seen = {}
for at = facts, plans - 1 do
  if seen[ARGV[at]] or not redis.call('ZSCORE', KEYS[6], ARGV[at]) then return {'fact', ARGV[at]} end
  seen[ARGV[at]] = true
end
local brought = {['']= true}
for at = plans, rollouts - 1, 2 do brought[ARGV[at]] = true end
for at = rollouts, events - 1, 3 do
  local hash = ARGV[at + 1]
  if not brought[hash] and redis.call('HEXISTS', KEYS[5], hash) == 0 then return {'plan', hash} end
end

redis.call('HSET', KEYS[1], 'revision', ARGV[9], 'journalSeq', ARGV[10], 'journalHash', ARGV[11])
for at = facts, plans - 1 do
  redis.call('ZREM', KEYS[6], ARGV[at])
  redis.call('HSET', KEYS[7], ARGV[at], ARGV[9])
end
for at = plans, rollouts - 1, 2 do redis.call('HSETNX', KEYS[5], ARGV[at], ARGV[at + 1]) end
for at = rollouts, events - 1, 3 do
  redis.call('ZADD', KEYS[4], 'NX', redis.call('ZCARD', KEYS[4]), ARGV[at])
  redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 2])
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
return {'ok'}
`

/** KEYS: head, journal, facts, inbox. ARGV: facts as id, JSON. Answers a 1 for each that is new, a 0 for each that was there. */
export const PUT = `${GUARD}
local answers = {'ok'}
for at = 5, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[3], ARGV[at]) == 1 then answers[#answers + 1] = 0
  else
    local place = redis.call('HINCRBY', KEYS[1], 'places', 1)
    redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
    redis.call('ZADD', KEYS[4], place, ARGV[at])
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
