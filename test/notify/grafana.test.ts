import { describe, expect, test } from 'vitest'
import type { EventBody } from '../../src/core/event.ts'
import { grafana } from '../../src/notify/grafana.ts'
import { itemOf } from '../../src/notify/item.ts'
import { markOf } from '../../src/notify/marks.ts'
import { render } from '../../src/notify/render.ts'
import type { Notification } from '../../src/ports/channel.ts'
import { startGrafana } from '../fakes/grafana.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { answering, startWebServer } from '../support/web-server.ts'
import { CONFIRMED, CREATED, DRIFT, eventOf, HALTED, PLACES, RESUMED, REVERT, rowOf } from './samples.ts'

const signal = new AbortController().signal

function raise(toPercent: number, urgency: 'forward' | 'revert' = 'forward'): EventBody {
  const reason = 'every gate passed'
  return { type: 'weight-intended', fromPercent: 0, toPercent, trial: null, urgency, reason, evidence: [] }
}
const entered = (to: 'baking' | 'completed' | 'cancelled' | 'reverted'): EventBody => ({
  ...{ type: 'phase-entered', from: 'stepping', to, stepIndex: null, reason: 'the plan says so' },
})

/** One event, as the channel is told of it. */
function told(
  body: EventBody,
  atMs: number,
  workload: string | null = 'checkout',
  migration = 'eks-1-33',
): Notification {
  const items = [itemOf(rowOf(atMs, body, workload, atMs), null, PLACES)]
  return render({ migration, items, leftOut: 0, incidents: [] }, `marks-${atMs}`, { title: null, item: null })
}

async function startScene(more: object = {}) {
  const server = await startGrafana()
  const settings = grafana.settings.parse({ url: `${server.url}/`, token: '${env:KEY}', ...more })
  const channel = grafana.open(settings, adapterContext({ KEY: 'key' }))
  const tell = async (...all: readonly Notification[]) => {
    for (const one of all) expect(await channel.send(one, signal)).toEqual({ outcome: 'accepted' })
  }
  /** Kind, workload and span of each. */
  const shown = () =>
    server.annotations.map(({ tags, time, timeEnd }) => {
      const workload = tags.find((tag) => tag.startsWith('workload:'))?.slice('workload:'.length)
      return `${tags[1]} ${workload} ${time}${timeEnd === time ? '' : `-${timeEnd}`}`
    })
  return { server, channel, tell, shown }
}

describe('annotations in Grafana', () => {
  test('a step lasts until the next one, or until the bake', async () => {
    const { tell, shown } = await startScene()
    await tell(
      told(raise(5), 1000),
      told(raise(25), 5000),
      told(entered('baking'), 9000),
      told(entered('completed'), 20_000),
    )
    expect(shown()).toEqual(['step checkout 1000-5000', 'step checkout 5000-9000', 'end checkout 20000'])
  })

  test('a halt lasts until it is resumed or reverted, a revert until it is confirmed', async () => {
    const { tell, shown } = await startScene()
    await tell(told(raise(5), 1000), told(HALTED, 2000), told(RESUMED, 3000), told(HALTED, 4000))
    expect(shown()).toEqual(['step checkout 1000', 'halt checkout 2000-3000', 'halt checkout 4000'])
    await tell(told(REVERT, 5000), told(CONFIRMED, 6000))
    expect(shown().toSorted()).toEqual([
      'halt checkout 2000-3000',
      'halt checkout 4000-5000',
      'revert checkout 5000-6000',
      'step checkout 1000-5000',
    ])
  })

  test('an end ends what is of its own workload, migration and run alone', async () => {
    const { tell, shown } = await startScene()
    await tell(told(raise(5), 1000), told(raise(5), 1000, 'search'), told(raise(5), 1000, 'checkout', 'other'))
    await tell(told(entered('baking'), 9000))
    expect(shown()).toEqual(['step checkout 1000-9000', 'step search 1000', 'step checkout 1000'])
  })

  test('what was taken without an answer is not there twice, and the same told again changes nothing', async () => {
    const { server, channel, tell, shown } = await startScene()
    await tell(told(raise(5), 1000))
    server.loseNextAnswer()
    expect(await channel.send(told(raise(25), 5000), signal)).toMatchObject({ outcome: 'later' })
    await tell(
      told(raise(25), 5000),
      told(raise(25), 5000),
      told(entered('baking'), 9000),
      told(entered('baking'), 9000),
    )
    expect(shown()).toEqual(['step checkout 1000-5000', 'step checkout 5000-9000'])
  })

  test('one that somebody deleted is not missed', async () => {
    const { server, tell, shown } = await startScene()
    await tell(told(raise(5), 1000))
    server.forget(1)
    await tell(told(raise(25), 5000))
    expect(shown()).toEqual(['step checkout 5000'])
  })

  test('carries run, migration and workload as tags, and what happened as text that is no markup', async () => {
    const { server, tell } = await startScene({ dashboard: 'headgate', panel: 4, tags: ['platform'] })
    await tell(told(REVERT, 5000))
    expect(server.annotations).toEqual([
      {
        ...{ id: 1, dashboardUID: 'headgate', panelId: 4, time: 5000, timeEnd: 5000 },
        tags: ['headgate', 'revert', 'run:01RUN', 'migration:eks-1-33', 'workload:checkout', 'platform'],
        text: expect.stringMatching(
          /^checkout: reverting 25 % → 0 %: new fails 3 % of &lt;requests&gt; &amp; .*<br>burnRate.*<a href="https:\/\/headgate\.test/,
        ),
      },
    ])
  })

  test('names of any length are taken, and found again', async () => {
    const { tell, server } = await startScene({ tags: ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(30)) })
    const [workload, migration] = ['w'.repeat(400), 'm'.repeat(400)]
    await tell(told(HALTED, 1000, workload, migration), told(RESUMED, 2000, workload, migration))
    expect(server.annotations).toMatchObject([{ time: 1000, timeEnd: 2000 }])
  })

  test('a page that is none of Grafana’s is asked again later, and nothing is written to it', async () => {
    const server = await startWebServer(answering(200, '<html>log in</html>'))
    const settings = grafana.settings.parse({ url: server.url, token: '${env:KEY}' })
    const channel = grafana.open(settings, adapterContext({ KEY: 'key' }))
    expect(await channel.send(told(REVERT, 1000), signal)).toMatchObject({ outcome: 'later' })
    expect(server.requests.map(({ method }) => method)).toEqual(['GET'])
    await channel.close()
  })

  test.each<[string, EventBody, ReturnType<typeof markOf>]>([
    ['the weight of a revert is told as the revert', raise(0, 'revert'), null],
    ['a hold that is no halt is not marked', DRIFT, null],
    ['a rollout that is only there is not marked', CREATED, null],
    ['a reverted one has been marked already', entered('reverted'), null],
    ['a cancelled one ends all', entered('cancelled'), { begins: 'end', ends: ['step', 'halt', 'revert'] }],
  ])('%s', (_, body, mark) => {
    expect(markOf(eventOf(body))).toEqual(mark)
  })
})
