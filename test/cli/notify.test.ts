import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { pagerdutyEvents, startChannelServer } from '../fakes/channels.ts'
import { runHere } from '../support/cli.ts'

const KEY = 'canary-of-the-pager-55c1'

async function scene() {
  const server = await startChannelServer(pagerdutyEvents)
  const folder = mkdtempSync(join(tmpdir(), 'headgate-notify-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, 'headgate.yaml')
  const minimal = readFileSync(new URL('../../examples/minimal.yaml', import.meta.url), 'utf8')
  const to = `{ pagerduty: { routingKey: "\${env:PAGER}", url: "${server.url}/v2/enqueue" } }`
  writeFileSync(config, `${minimal}\nnotify: { channels: [{ name: oncall, to: ${to} }] }\n`)
  const run = (...args: string[]) => runHere(['notify', 'test', ...args, '-c', config], { env: { PAGER: KEY } })
  return { server, run }
}

test('a sample opens an incident that is over at once, and says that it is a test', async () => {
  const { server, run } = await scene()
  expect(await run('oncall')).toMatchObject({ code: 0, out: 'oncall (pagerduty): accepted\n' })
  const events = server.accepted().map(({ body }) => JSON.parse(body))
  expect(events.map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve'])
  expect(events[0].dedup_key).toBe(events[1].dedup_key)
  expect(events[0].payload.summary).toContain('test')
})

test('a channel that does not take it ends the command with 1, without the secret', async () => {
  const { server, run } = await scene()
  server.mood('echoing')
  const ran = await run('oncall')
  expect(ran).toMatchObject({ code: 1, out: expect.stringContaining('not accepted: answered 500') })
  expect(`${ran.out}${ran.err}`).not.toContain(KEY)
})

test('a name that is no channel is told with those that are', async () => {
  const { run } = await scene()
  expect(await run('oncal')).toMatchObject({ code: 2, err: expect.stringContaining('it has oncall') })
})
