import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { signatureOf } from '../../src/shared/signature.ts'
import { codeBlocks, pageAt } from '../support/markdown.ts'
import { answering, startWebServer } from '../support/web-server.ts'
import { createTaskRig, httpTask, SIGNING_KEY } from './rig.ts'

type Verify = (signature: unknown, body: string, key: string, nowMs: number) => boolean

const NOW_MS = Date.UTC(2026, 10, 21, 12)
const BODY = '{"workload":"checkout"}'

/** The function that docs/hooks.md shows. */
let isFromHeadgate: Verify

beforeAll(async () => {
  const block = codeBlocks(pageAt('docs/hooks.md')).find(({ language }) => language === 'js')
  const folder = await mkdtemp(join(tmpdir(), 'headgate-signature-'))
  const file = join(folder, 'verify.mjs')
  await writeFile(file, block?.text ?? '')
  isFromHeadgate = (await import(/* @vite-ignore */ pathToFileURL(file).href)).isFromHeadgate
  await rm(folder, { recursive: true })
})

describe('the receiver that docs/hooks.md shows', () => {
  test('takes what a hook is really sent', async () => {
    const server = await startWebServer(answering(200, ''))
    const { run, clock } = createTaskRig()
    await run(httpTask(server.url, { signingKey: '${env:HOOK_KEY}' }))
    const [request] = server.requests
    const signature = request?.headers['x-headgate-signature']
    expect(isFromHeadgate(signature, request?.body ?? '', SIGNING_KEY, clock.nowMs())).toBe(true)
  })

  test.each<[string, unknown, string, string, number, boolean]>([
    ['as it was signed', signatureOf(BODY, SIGNING_KEY, NOW_MS), BODY, SIGNING_KEY, NOW_MS, true],
    ['some minutes later', signatureOf(BODY, SIGNING_KEY, NOW_MS), BODY, SIGNING_KEY, NOW_MS + 299_000, true],
    ['an empty body', signatureOf('', SIGNING_KEY, NOW_MS), '', SIGNING_KEY, NOW_MS, true],
    ['too late', signatureOf(BODY, SIGNING_KEY, NOW_MS), BODY, SIGNING_KEY, NOW_MS + 301_000, false],
    ['from the future', signatureOf(BODY, SIGNING_KEY, NOW_MS + 301_000), BODY, SIGNING_KEY, NOW_MS, false],
    ['another body', signatureOf(BODY, SIGNING_KEY, NOW_MS), `${BODY} `, SIGNING_KEY, NOW_MS, false],
    ['another key', signatureOf(BODY, 'another', NOW_MS), BODY, SIGNING_KEY, NOW_MS, false],
    [
      'another time',
      signatureOf(BODY, SIGNING_KEY, NOW_MS).replace(/^t=\d+/, `t=${NOW_MS / 1000 + 1}`),
      BODY,
      SIGNING_KEY,
      NOW_MS,
      false,
    ],
    ['no signature', undefined, BODY, SIGNING_KEY, NOW_MS, false],
    ['half a signature', `t=${NOW_MS / 1000}`, BODY, SIGNING_KEY, NOW_MS, false],
    ['nonsense', 'v1=,,=t', BODY, SIGNING_KEY, NOW_MS, false],
  ])('%s', (_, signature, body, key, nowMs, isTaken) => {
    expect(isFromHeadgate(signature, body, key, nowMs)).toBe(isTaken)
  })
})
