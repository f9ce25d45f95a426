import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openSqlite } from '../../src/store/sqlite.ts'
import { fakeEvent } from '../fakes/service.ts'
import { createStorePath } from '../store/place.ts'
import { sampleCommit, sampleEvent } from '../store/samples.ts'
import { tamperWith } from '../store/tamper.ts'
import { listeningApi, VIEWER_TOKEN } from '../support/api.ts'
import { runHere } from '../support/cli.ts'

let path: string

beforeEach(async () => {
  const place = createStorePath()
  onTestFinished(place.remove)
  path = place.path
  const { store } = openSqlite(path)
  const lease = await store.lease('one', 0, 1_000)
  const events = ['a', 'b', 'c'].map((name) => sampleEvent(name))
  await store.commit(sampleCommit({ lease, revision: 0, events }))
  await store.close()
})

const verify = (...rest: readonly string[]) => runHere(['journal', 'verify', ...rest])

describe('headgate journal verify', () => {
  test('of a file: says that all is as written, and the head, which it then takes back', async () => {
    const ran = await verify('--store', path)
    const head = /^all 3 rows are as written\nhead (3:[0-9a-f]{64})\n$/.exec(ran.out)?.[1] ?? ''
    expect([ran.code, ran.err]).toEqual([0, ''])
    expect(await verify('--store', path, '--expect', head)).toMatchObject({
      code: 0,
      out: `all 3 rows are as written, row 3 as noted down\nhead ${head}\n`,
    })
  })

  test('of a file that was tampered with: says the first bad row, and ends with 1', async () => {
    tamperWith(path, (rows) => rows.filter(({ seq }) => seq !== 2))
    expect(await verify('--store', path)).toEqual({
      code: 1,
      out: '',
      err: 'row 2: missing: row 2 is missing; nothing from there on is proven\n',
    })
    const { code, out } = await verify('--store', path, '--json')
    expect([code, JSON.parse(out)]).toMatchObject([1, { head: { seq: 3 }, fault: { seq: 2, what: 'missing' } }])
  })

  test('of a file with another head than the one that was noted down: ends with 1', async () => {
    const { code, err } = await verify('--store', path, '--expect', `2:${'0'.repeat(64)}`)
    expect([code, err]).toEqual([1, expect.stringContaining('row 2: rewritten: row 2 has the hash ')])
  })

  test('of a running service: the service reads its journal', async () => {
    const { url, service } = await listeningApi()
    const env = { HEADGATE_URL: url, HEADGATE_TOKEN: VIEWER_TOKEN }
    expect((await runHere(['journal', 'verify'], { env })).out).toMatch(/^the journal is empty\n/)
    service.append(fakeEvent('catalog'), fakeEvent('checkout'))
    const { seq, hash } = service.record.head
    const sound = await runHere(['journal', 'verify', '--expect', `2:${hash}`], { env })
    expect(sound).toMatchObject({ code: 0, out: expect.stringContaining(`head ${seq}:${hash}\n`) })
    service.record.stored.pop()
    const broken = await runHere(['journal', 'verify'], { env })
    expect(broken).toMatchObject({ code: 1, err: expect.stringContaining('row 2: cut off') })
  })

  test.each(['3', '3:abc', `0:${'0'.repeat(64)}`, `x:${'0'.repeat(64)}`])('--expect %s is no head', async (text) => {
    expect(await verify('--store', path, '--expect', text)).toMatchObject({ code: 2 })
  })
})
