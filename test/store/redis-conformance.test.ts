import { afterAll, beforeAll, describe } from 'vitest'
import { storeConformance } from '../conformance/store.ts'
import { shardsConformance } from '../conformance/store-shards.ts'
import { type RealRedis, startRedis } from '../support/redis.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { createRedisPlace } from './redis-place.ts'

const binary = requireServer('redis-server', 'the suite of the store in Redis')

describe.skipIf(binary === null)('a real Redis', () => {
  let redis: RealRedis

  beforeAll(async () => {
    redis = await startRedis(binary ?? '')
  })
  afterAll(() => redis.stop())

  storeConformance('Redis', () => createRedisPlace(redis))
  shardsConformance('Redis', () => createRedisPlace(redis))
})

describe.skipIf(binary === null)('a real Redis of a cluster', () => {
  let redis: RealRedis

  beforeAll(async () => {
    redis = await startRedis(binary ?? '', ['--cluster-enabled', 'yes'])
    // One node that owns all slots: it refuses keys of two slots in one script, as a cluster of many does.
    await redis.client.cluster('ADDSLOTSRANGE', 0, 16_383)
    await until('the cluster is up', async () => (await redis.client.cluster('INFO')).includes('cluster_state:ok'))
  })
  afterAll(() => redis.stop())

  storeConformance('Redis Cluster', () => createRedisPlace(redis))
  shardsConformance('Redis Cluster', () => createRedisPlace(redis))
})
