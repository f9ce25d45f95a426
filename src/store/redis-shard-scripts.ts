import { GUARD, NOW } from './redis-scripts.ts'

/**
 * Changes the layout, if it still is the one that the change was thought from.
 *
 * KEYS: head, journal, shards, layout, homes. ARGV: epoch, the keys of a shard, an order and an inbox up to the name of the shard, three
 * counts; then shards to be made; merges as from, into; homes as workload, migration; migrations as migration, shard.
 *
 * Of a shard that is merged into another the lease ends: nobody has one of what comes of it before all of them would have ended, because
 * a call to a provider may be under way under any of them.
 */
export const JOIN = `${GUARD}
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[5] then return {'epoch'} end
local keyOf, orderOf, inboxOf = ARGV[6], ARGV[7], ARGV[8]
local made = 12
local merges = made + tonumber(ARGV[9])
local homes = merges + 2 * tonumber(ARGV[10])
local migrations = homes + 2 * tonumber(ARGV[11])
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
for at = made, merges - 1 do
  redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[1], 'places', 1), ARGV[at])
  redis.call('HSET', keyOf .. ARGV[at], 'revision', 0, 'fence', 0, 'leaseToken', 0, 'leaseUntilMs', 0)
end
for at = merges, homes - 1, 2 do
  local from, into = ARGV[at], ARGV[at + 1]
  local a = redis.call('HMGET', keyOf .. from, 'revision', 'leaseOwner', 'leaseToken', 'leaseUntilMs')
  local b = redis.call('HMGET', keyOf .. into, 'revision', 'leaseOwner', 'leaseToken', 'leaseUntilMs')
  local untilMs = math.max(a[2] and tonumber(a[4]) or 0, b[2] and tonumber(b[4]) or 0)
  redis.call('HSET', keyOf .. into, 'revision', string.format('%.0f', tonumber(a[1]) + tonumber(b[1]) + 1),
    'leaseOwner', 'whoever had a part of it', 'leaseToken', string.format('%.0f', math.max(tonumber(a[3]), tonumber(b[3])) + 1),
    'leaseUntilMs', string.format('%.0f', untilMs))
  redis.call('HINCRBY', keyOf .. into, 'fence', 1)
  redis.call('ZUNIONSTORE', orderOf .. into, 2, orderOf .. into, orderOf .. from)
  redis.call('ZUNIONSTORE', inboxOf .. into, 2, inboxOf .. into, inboxOf .. from)
  redis.call('DEL', keyOf .. from, orderOf .. from, inboxOf .. from)
  redis.call('ZREM', KEYS[3], from)
end
for at = homes, migrations - 1, 2 do redis.call('HSETNX', KEYS[5], ARGV[at], ARGV[at + 1]) end
for at = migrations, #ARGV - 1, 2 do redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 1]) end
return {'ok'}
`

/**
 * KEYS: head, journal, shards, layout, replicas. ARGV: replica, ttlMs, nowMs or '', the key of a shard up to its name. Answers epoch,
 * journal's seq, then lists: replicas; layout; of each shard its name, revision, lease's owner or '', token, and how long it is held, ms.
 */
export const LOOK = `${GUARD}${NOW}
local now = timeOr(ARGV[7])
redis.call('ZADD', KEYS[5], string.format('%.0f', now + tonumber(ARGV[6])), ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', string.format('%.0f', now))
local head = redis.call('HMGET', KEYS[1], 'epoch', 'journalSeq')
local shards = {}
for _, shard in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  local is = redis.call('HMGET', ARGV[8] .. shard, 'revision', 'leaseOwner', 'leaseToken', 'leaseUntilMs')
  local left = is[2] and math.max(0, tonumber(is[4]) - now) or 0
  for _, value in ipairs({shard, is[1], is[2] or '', is[3], string.format('%.0f', left)}) do shards[#shards + 1] = value end
end
local layout = {}
for _, name in ipairs(redis.call('HKEYS', KEYS[4])) do
  layout[#layout + 1] = name
  layout[#layout + 1] = redis.call('HGET', KEYS[4], name)
end
return {'ok', head[1], head[2], redis.call('ZRANGE', KEYS[5], 0, -1), layout, shards}
`

/** KEYS: head, journal, replicas. ARGV: replica. */
export const LEAVE = `${GUARD}
redis.call('ZREM', KEYS[3], ARGV[5])
return {'ok'}
`
