import { expect, test } from 'vitest'
import { Post } from '../../src/wake/post.ts'

test('what is asked for while a message is under way is one more, begun afterwards', async () => {
  const started: PromiseWithResolvers<void>[] = []
  const post = new Post(
    () => {
      const delivery = Promise.withResolvers<void>()
      started.push(delivery)
      return delivery.promise
    },
    () => {},
  )
  post.send()
  for (let more = 0; more < 5; more++) post.send()
  expect(started).toHaveLength(1)
  started[0]?.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  expect(started).toHaveLength(2)
  started[1]?.resolve()
  await post.idle()
  expect(started).toHaveLength(2)
})

test('a message that fails is told, and does not keep the next one away', async () => {
  const troubles: unknown[] = []
  let tries = 0
  const post = new Post(
    async () => {
      tries += 1
      throw new Error(`no ${tries}`)
    },
    (error) => troubles.push(error),
  )
  post.send()
  await post.idle()
  post.send()
  await post.idle()
  expect(troubles).toEqual([new Error('no 1'), new Error('no 2')])
})
