import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { request } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { TrafficScope, WeightChange } from '../../src/ports/traffic.ts'
import { type PowerdnsOptions, type RealPowerdns, startPowerdns } from '../support/powerdns.ts'
import { anyLongWhile, change, NEW, OLD, openZone, readOnce, readSettled, recordOf } from '../support/powerdns-scope.ts'
import { luaContent, putRrsets, rrsetsAt, ZONE } from '../support/powerdns-user.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { startWebServer } from '../support/web-server.ts'

const SUITE = 'e2e of PowerDNS'
const [pdns, dig] = [requireServer('pdns_server', SUITE), requireServer('dig', SUITE)]
const QUERIES = 1000

/** How far chance may take a count: beyond six standard deviations once in millions of times. */
function sixSigma(queries: number, share: number): number {
  return 6 * Math.sqrt(queries * share * (1 - share))
}

async function start(options: PowerdnsOptions = {}): Promise<RealPowerdns> {
  const server = await startPowerdns(pdns ?? '', options)
  onTestFinished(server.stop)
  return server
}

function open(server: Pick<RealPowerdns, 'url' | 'nameserver'>, ids: readonly string[], settings: object = {}) {
  const scope = openZone(server, ids, settings)
  onTestFinished(() => scope.close())
  return scope
}

async function write(scope: TrafficScope, changes: readonly WeightChange[]) {
  return Object.fromEntries(await scope.write(changes, anyLongWhile()))
}

/** What `dig` is answered to each of these lines, in their order; '' for no answer. */
async function digAll({ dnsPort }: RealPowerdns, lines: readonly string[]): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-dig-'))
  try {
    const path = join(folder, 'queries')
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
    const options = ['@127.0.0.1', '-p', String(dnsPort), '+noall', '+answer', '+tries=5', '-f', path]
    const { stdout } = await promisify(execFile)(dig ?? '', options, { maxBuffer: 16 * 1024 * 1024 })
    const answers = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'))
    return answers.map((line) => line.split(/\s+/).at(-1) ?? '')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function countOf(answers: readonly string[], value: string): number {
  return answers.filter((answer) => answer === value).length
}

describe.skipIf(pdns === null || dig === null)('a real PowerDNS', () => {
  test('answers a thousand queries by the weights of every step, with its caches on', async () => {
    const server = await start()
    await putRrsets(server, [{ name: recordOf('a'), type: 'A', contents: [OLD] }])
    const scope = open(server, ['a'])
    for (const weightPercent of [0, 10, 50, 100, 0.1, 33.3, 0]) {
      expect(await write(scope, [change('a', weightPercent)])).toEqual({ a: { kind: 'applied' } })
      expect(await readSettled(scope, 'a')).toEqual({ kind: 'weight', weightPercent, ttlSeconds: 300 })
      const answers = await digAll(server, Array(QUERIES).fill(recordOf('a')))
      expect(answers).toHaveLength(QUERIES)
      expect(countOf(answers, OLD) + countOf(answers, NEW)).toBe(QUERIES)
      const share = weightPercent / 100
      const distance = Math.abs(countOf(answers, NEW) - QUERIES * share)
      expect(distance, `${countOf(answers, NEW)} at ${weightPercent} %`).toBeLessThanOrEqual(sixSigma(QUERIES, share))
    }
  })

  test('ties each client subnet to a side, by the weights', async () => {
    const server = await start()
    await putRrsets(server, [{ name: recordOf('a'), type: 'A', contents: [OLD] }])
    const scope = open(server, ['a'], { pick: 'hashed' })
    await write(scope, [change('a', 25)])
    const subnets = Array.from({ length: QUERIES }, (_, index) => `10.${index >> 8}.${index & 255}.7/32`)
    const lines = subnets.map((subnet) => `${recordOf('a')} +subnet=${subnet}`)
    const answers = await digAll(server, lines)
    expect(answers).toHaveLength(QUERIES)
    expect(Math.abs(countOf(answers, NEW) - QUERIES * 0.25)).toBeLessThanOrEqual(sixSigma(QUERIES, 0.25))
    expect(await digAll(server, lines)).toEqual(answers)
  })

  test('shares a side evenly among its values, and answers names and IPv6 too', async () => {
    const server = await start()
    const pairs = {
      six: { old: ['2001:db8::1', '2001:db8::3'], new: ['2001:db8::2', '2001:db8::4', '2001:db8::6'] },
      name: { old: 'blue.example.test', new: 'green.elsewhere.example' },
    }
    await putRrsets(server, [
      { name: recordOf('six'), type: 'AAAA', contents: pairs.six.old },
      { name: recordOf('name'), type: 'CNAME', contents: ['blue.example.test.'] },
    ])
    const [six, name] = [open(server, ['six'], pairs.six), open(server, ['name'], pairs.name)]
    await write(six, [change('six', 40)])
    await write(name, [change('name', 100)])
    const answers = await digAll(server, Array(QUERIES).fill(`${recordOf('six')} AAAA`))
    for (const [values, share] of [
      [pairs.six.old, 0.3],
      [pairs.six.new, 0.4 / 3],
    ] as const)
      for (const value of values)
        expect(Math.abs(countOf(answers, value) - QUERIES * share)).toBeLessThanOrEqual(sixSigma(QUERIES, share))
    expect(await readSettled(six, 'six')).toEqual({ kind: 'weight', weightPercent: 40, ttlSeconds: 300 })
    expect(await digAll(server, [`${recordOf('name')} CNAME`])).toEqual(['green.elsewhere.example.'])
    expect(await readSettled(name, 'name')).toEqual({ kind: 'weight', weightPercent: 100, ttlSeconds: 300 })
  })

  test('evaluates a record that is longer than one string', async () => {
    const server = await start()
    const addresses = (from: number) => Array.from({ length: 16 }, (_, index) => `2001:db8::${from}:${index + 1}`)
    const sides = { old: addresses(1), new: addresses(2) }
    await putRrsets(server, [{ name: recordOf('a'), type: 'AAAA', contents: sides.old }])
    const scope = open(server, ['a'], sides)
    expect(await write(scope, [change('a', 100)])).toEqual({ a: { kind: 'applied' } })
    expect(await readSettled(scope, 'a')).toEqual({ kind: 'weight', weightPercent: 100, ttlSeconds: 300 })
    const answers = await digAll(server, Array(QUERIES).fill(`${recordOf('a')} AAAA`))
    expect(new Set(answers)).toEqual(new Set(sides.new))
  })

  test('reverts 500 records with one PATCH', async () => {
    const server = await start()
    const ids = Array.from({ length: 500 }, (_, index) => `n${index}`)
    await putRrsets(
      server,
      ids.map((id) => ({
        name: recordOf(id),
        type: 'LUA',
        contents: [
          luaContent('A', [
            [75, OLD],
            [25, NEW],
          ]),
        ],
      })),
    )
    const proxy = await startProxy(server)
    const scope = open({ url: proxy.url, nameserver: server.nameserver }, ids)
    const weight = JSON.stringify({ kind: 'weight', weightPercent: 25, ttlSeconds: 300 })
    await until('500 records are served', async () => {
      const readings = await scope.read(ids, anyLongWhile())
      return [...readings.values()].every((one) => JSON.stringify(one) === weight)
    })
    const before = proxy.requests.length
    const startedMs = performance.now()
    const results = await write(
      scope,
      ids.map((id) => change(id, 0, { urgency: 'revert' })),
    )
    process.stdout.write(`500 records reverted in ${Math.round(performance.now() - startedMs)} ms\n`)
    expect(new Set(Object.values(results).map(({ kind }) => kind))).toEqual(new Set(['applied']))
    expect(proxy.requests.slice(before).map(({ method }) => method)).toEqual(['GET', 'PATCH'])
    const answers = await digAll(
      server,
      ids.flatMap((id) => [recordOf(id), recordOf(id)]),
    )
    expect({ answers: answers.length, old: countOf(answers, OLD) }).toEqual({ answers: 1000, old: 1000 })
  })

  test.each([
    ['cut off', `A "pickwrandom({{90,'${OLD}'},{10,'${NEW}'}"`],
    [
      'of weights that are all 0',
      luaContent('A', [
        [0, OLD],
        [0, NEW],
      ]),
    ],
    ['that fails when it runs', luaContent('A', [[1, `${OLD}.`]])],
  ])('takes Lua %s without a word, and Headgate reads no weight from it', async (_, content) => {
    const server = await start()
    await putRrsets(server, [{ name: recordOf('a'), type: 'LUA', contents: [content] }])
    expect(await readSettled(open(server, ['a']), 'a')).toMatchObject({ kind: 'missing', why: 'refused' })
  })

  test('that evaluates no Lua keeps its plain record, and a LUA record there is no weight', async () => {
    const server = await start({ lua: 'no' })
    await putRrsets(server, [
      { name: recordOf('a'), type: 'A', contents: [OLD] },
      {
        name: recordOf('b'),
        type: 'LUA',
        contents: [
          luaContent('A', [
            [90, OLD],
            [10, NEW],
          ]),
        ],
      },
    ])
    const scope = open(server, ['a', 'b'])
    expect(await write(scope, [change('a', 10)])).toMatchObject({
      a: { kind: 'failed', problem: { code: 'TRAFFIC_REFUSED', hint: expect.stringContaining('enable-lua-records') } },
    })
    expect(await digAll(server, [recordOf('a')])).toEqual([OLD])
    expect(await readSettled(scope, 'b')).toMatchObject({
      why: 'refused',
      detail: expect.stringContaining('does not evaluate'),
    })
  })

  test('that evaluates Lua in this zone alone is taken at its word', async () => {
    const server = await start({ lua: 'no', lines: ['zone-metadata-cache-ttl=0', 'domain-metadata-cache-ttl=0'] })
    server.sql(`INSERT INTO domainmetadata (domain_id, kind, content)
      SELECT id, 'ENABLE-LUA-RECORDS', '1' FROM domains WHERE name = '${ZONE}'`)
    await putRrsets(server, [{ name: recordOf('a'), type: 'A', contents: [OLD] }])
    const scope = open(server, ['a'])
    expect(await write(scope, [change('a', 100)])).toEqual({ a: { kind: 'applied' } })
    expect(await readSettled(scope, 'a')).toEqual({ kind: 'weight', weightPercent: 100, ttlSeconds: 300 })
  })

  test('whose database somebody edits serves that later, and Headgate reads it at once', async () => {
    const server = await start()
    await putRrsets(server, [{ name: recordOf('a'), type: 'A', contents: [OLD] }])
    const scope = open(server, ['a'])
    await write(scope, [change('a', 100)])
    expect(await readSettled(scope, 'a')).toMatchObject({ weightPercent: 100 })
    server.sql(
      `UPDATE records SET content = replace(replace(content, '{0,', '{9,'), '{100,', '{0,') WHERE type = 'LUA'`,
    )
    expect(await rrsetsAt(server, recordOf('a'))).toMatchObject({
      LUA: {
        records: [
          {
            content: luaContent('A', [
              [9, OLD],
              [0, NEW],
            ]),
          },
        ],
      },
    })
    expect(await readOnce(scope, 'a')).toMatchObject({ weightPercent: 0, pending: expect.stringContaining(NEW) })
  })
})

/** Counts the calls to the API, and passes them on. */
async function startProxy({ url }: RealPowerdns) {
  return startWebServer(async (response, { method, url: path, headers, body }) => {
    const answer = await request(`${url}${path}`, {
      method: method === 'PATCH' ? 'PATCH' : 'GET',
      headers: { 'x-api-key': String(headers['x-api-key']), 'content-type': 'application/json' },
      ...(body !== '' && { body }),
    })
    response.writeHead(answer.statusCode).end(await answer.body.text())
  })
}
