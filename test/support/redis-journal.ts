import type { TestContext } from 'vitest'
import { openRedis } from '../../src/store/redis.ts'
import { redisSettings } from '../store/redis-place.ts'
import { storyOf } from './migration.ts'

/** The journal of a workload in Redis, past every Headgate, as it is at each call; closed with the test. */
export async function openRedisJournal(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  url: string,
  workload: string,
) {
  const { journal, store } = await openRedis(redisSettings(url), { secret: String, newIdentity: null })
  onTestFinished(() => store.close())
  const rows = () => journal.read({ afterSeq: 0, limit: 10_000, workload })
  return { rows, story: async () => storyOf(await rows()) }
}
