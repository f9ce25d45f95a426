import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { runCli } from '../../src/cli/program.ts'
import type { HeadgateEvent } from '../../src/core/event.ts'
import { COMMANDS } from '../../src/core/observation.ts'
import { problem } from '../../src/core/problem.ts'
import type { CommandRequest } from '../../src/ports/control.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { type FakeService, fakeEvent, fakeView, NOW_MS } from '../fakes/service.ts'
import { listeningApi, OPERATOR_TOKEN, VIEWER_TOKEN } from '../support/api.ts'
import { runHere, testIo } from '../support/cli.ts'
import { fakeFleet } from '../support/fleet-view.ts'
import { untilHolds } from '../support/until.ts'

const operator = (url: string) => ({ HEADGATE_URL: url, HEADGATE_TOKEN: OPERATOR_TOKEN })

function answerCommands(service: FakeService, answer: (request: CommandRequest, factId: string) => HeadgateEvent) {
  service.onSubmit = (request, factId) => service.append(answer(request, factId))
}

const done = ({ command, reason, workload, actor }: CommandRequest, factId: string): HeadgateEvent => {
  const head = { atMs: NOW_MS, runId: 'run-1', workload, actor }
  return { ...head, type: 'command-done', factId, command, reason }
}

const refused = (request: CommandRequest, factId: string): HeadgateEvent => {
  const { command, reason, workload, actor } = request
  const head = { atMs: NOW_MS, runId: 'run-1', workload, actor }
  const why = problem('COMMAND_WRONG_PHASE', `${workload} is completed`).toJSON()
  return { ...head, type: 'command-refused', factId, command, reason, problem: why }
}

function temporaryFile(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('commands', () => {
  test.each(COMMANDS)('%s waits until the journal says that it was done', async (name) => {
    const { url, service } = await listeningApi()
    answerCommands(service, done)
    const ran = await runHere([name, 'catalog', '--reason', 'a drill'], { env: operator(url) })
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toMatch(new RegExp(`^\\d\\d:\\d\\d:\\d\\d · catalog ${name}: a drill \\[ada\\]\n$`))
    expect(service.submitted).toMatchObject([{ workload: 'catalog', command: name, reason: 'a drill', force: false }])
  })

  test('an outcome that comes later is waited for; other rows are passed over', async () => {
    const { url, service } = await listeningApi()
    const submitted = new Promise<string>((resolve) => {
      service.onSubmit = (_request, factId) => resolve(factId)
    })
    const ran = runHere(['pause', 'catalog', '-r', 'x', '--json'], { env: operator(url) })
    const factId = await submitted
    await untilHolds(() => expect(service.listeners.size).toBe(1))
    service.append(fakeEvent('catalog'), done(request('checkout'), 'another'), done(request('catalog'), factId))
    const { code, out } = await ran
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ seq: 3, event: { type: 'command-done', factId } })
  })

  test('one that Headgate refuses: its problem, and exit code 3', async () => {
    const { url, service } = await listeningApi()
    answerCommands(service, refused)
    const args = ['advance', 'catalog', '-r', 'x']
    const plain = await runHere(args, { env: operator(url) })
    expect(plain).toEqual({
      code: 3,
      out: '',
      err: 'COMMAND_WRONG_PHASE: catalog is completed (see `headgate status`)\n',
    })
    const json = await runHere([...args, '--json'], { env: operator(url) })
    expect(json).toMatchObject({ code: 3, err: '' })
    expect(JSON.parse(json.out)).toMatchObject({ code: 'COMMAND_WRONG_PHASE' })
  })

  test('no outcome in time: exit code 5', async () => {
    const clock = createFakeClock(NOW_MS)
    const { url, service } = await listeningApi()
    const ran = runHere(['pause', 'catalog', '-r', 'x', '--timeout', '7'], { env: operator(url), clock })
    await untilHolds(() => expect(service.listeners.size).toBe(1))
    await clock.advance(7000)
    expect(await ran).toMatchObject({
      code: 5,
      err: expect.stringContaining('CLI_TIMEOUT: no outcome of fact-1 within 7 s'),
    })
  })

  test('--no-wait: it is in the inbox, no more', async () => {
    const { url } = await listeningApi()
    const ran = await runHere(['pause', 'catalog', '-r', 'x', '--no-wait', '--json'], { env: operator(url) })
    expect(ran.code).toBe(0)
    expect(JSON.parse(ran.out)).toEqual({ factId: 'fact-1', isNew: true })
  })

  test('only a revert can be forced', async () => {
    const { url, service } = await listeningApi()
    answerCommands(service, done)
    expect((await runHere(['revert', 'catalog', '-r', 'x', '--force'], { env: operator(url) })).code).toBe(0)
    expect(service.submitted[0]?.force).toBe(true)
    expect((await runHere(['pause', 'catalog', '-r', 'x', '--force'], { env: operator(url) })).code).toBe(2)
  })

  test('without a reason nothing is sent', async () => {
    const { url, service } = await listeningApi()
    const ran = await runHere(['pause', 'catalog'], { env: operator(url) })
    expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(/^CLI_USAGE: .*--reason/) })
    expect(service.submitted).toEqual([])
  })

  const request = (workload: string): CommandRequest => ({
    workload,
    command: 'pause',
    reason: 'x',
    actor: 'ada',
    force: false,
    roles: [],
    factId: null,
  })
})

describe('who may not, or cannot', () => {
  test.each([
    ['no token', '', 'API_UNAUTHENTICATED', 4],
    ['a viewer’s token', VIEWER_TOKEN, 'API_FORBIDDEN', 4],
  ])('%s', async (_name, token, code, exitCode) => {
    const { url } = await listeningApi()
    const env = { HEADGATE_URL: url, HEADGATE_TOKEN: token }
    const ran = await runHere(['pause', 'catalog', '-r', 'x'], { env })
    expect(ran).toMatchObject({ code: exitCode, err: expect.stringContaining(`${code}: `) })
  })

  test('an unknown workload: exit code 3', async () => {
    const { url } = await listeningApi()
    const ran = await runHere(['pause', 'nope', '-r', 'x'], { env: operator(url) })
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('there is no workload "nope"') })
  })

  test('nobody answers: exit code 4, and the address', async () => {
    const { url, app } = await listeningApi()
    await app.close()
    const ran = await runHere(['status'], { env: operator(url) })
    expect(ran).toMatchObject({ code: 4, err: expect.stringMatching(`^API_UNREACHABLE: ${url}: ECONNREFUSED`) })
  })

  test.each([
    ['a page', 200, '<html>hello</html>'],
    ['other JSON', 200, '{"hello":"world"}'],
    ['a page that says no', 404, '<html>gone</html>'],
  ])('something else answers, with %s: exit code 4', async (_name, status, body) => {
    const server = createServer((_request, response) => response.writeHead(status).end(body))
    onTestFinished(() => void server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = z.object({ port: z.number() }).parse(server.address())
    const ran = await runHere(['status', '--url', `http://127.0.0.1:${port}`])
    expect(ran).toMatchObject({ code: 4, err: expect.stringMatching(/^API_UNREACHABLE: .*not as Headgate does/) })
  })

  test.each(['nonsense', 'ftp://127.0.0.1', 'http://ada:canary-7@127.0.0.1:1'])(
    '--url %s does not fit',
    async (url) => {
      const ran = await runHere(['status', '--url', url])
      expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(/^CLI_USAGE: /) })
      expect(ran.err).not.toContain('canary-7')
    },
  )

  test('the token comes from a file as well', async () => {
    const { url } = await listeningApi()
    const path = temporaryFile('token', `${OPERATOR_TOKEN}\n`)
    expect((await runHere(['status', '--token-file', path, '--url', url])).code).toBe(0)
    const missing = await runHere(['status', '--token-file', `${path}.not`, '--url', url])
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('cannot be read') })
  })

  test('with --json a problem is one object on stdout', async () => {
    const ran = await runHere(['nonsense', '--json'])
    expect(ran).toMatchObject({ code: 2, err: '' })
    expect(JSON.parse(ran.out)).toMatchObject({ code: 'CLI_USAGE', cause: "unknown command 'nonsense'" })
  })
})

describe('status', () => {
  test('one line a workload under what is migrated', async () => {
    const { url } = await listeningApi()
    const { code, out } = await runHere(['status'], { env: operator(url) })
    expect(code).toBe(0)
    expect(out.split('\n')).toEqual([
      'eks-1-33: prod-a → prod-b, swept 4 s ago, headgate 0.1.0',
      '› catalog  ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    held 40 s of 5 min',
      '› checkout ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    held 40 s of 5 min',
      '',
    ])
  })

  test('by wave where there are several, below what stops the whole migration', async () => {
    const { url, service } = await listeningApi()
    const signal = { gate: 'signal/nodeReadiness', outcome: 'blind', evidence: {}, sentence: 'nodes: away' } as const
    const breaker = { reverts: 1, withinSeconds: 60, reverted: ['x'], tripped: '1 workload reverted within 1 min: x' }
    service.workloads = [...service.workloads, fakeView('gone')]
    service.fleets = [fakeFleet({ signals: [signal], breaker })]
    const { out } = await runHere(['status'], { env: operator(url) })
    expect(out.split('\n').map((line) => line.slice(0, 50).trimEnd())).toEqual([
      'eks-1-33: prod-a → prod-b, swept 4 s ago, headgate',
      '! breaker: 1 workload reverted within 1 min: x',
      '? nodes: away',
      'wave canaries: 1 of 1 done',
      '› catalog  ██░░░░░░░░░░░░░░░░░░         10.0 %  st',
      'wave rest: 0 of 2 done, 1 under way, 1 waiting',
      '› checkout ██░░░░░░░░░░░░░░░░░░         10.0 %  st',
      '› gone     ██░░░░░░░░░░░░░░░░░░         10.0 %  st',
      '',
    ])
  })

  test('one workload: holds, verdicts, readings, steps', async () => {
    const { url, service } = await listeningApi()
    const hold = { cause: 'paused', detail: 'lunch', sinceMs: NOW_MS - 90_000, actor: 'ada' } as const
    service.workloads = [fakeView('catalog', { holds: [hold] })]
    const { out } = await runHere(['status', 'catalog'], { env: operator(url) })
    expect(out).toContain('paused  lunch (ada, 1 min 30 s ago)')
    expect(out).toContain('burnRate/availability  pass    all well')
    expect(out).toContain('catalog/haproxy  missing (timeout: no answer), 0 s ago')
    expect(out).toContain('2. 10 %   held 5 min  now')
    expect(out).toContain('parity  pass     1 image compared, 30 s ago')
    expect(out).toContain('ttls    fail (told alone)  a TTL of 1 h → lower it, 30 s ago')
    expect(out).toContain('clock   skipped  nothing has a clock, 1 min ago')
  })

  test('one workload that was not judged since the start says so', async () => {
    const { url, service } = await listeningApi()
    service.workloads = [fakeView('catalog', { verdicts: null, outcomes: { 'harm/a': 'wait' } })]
    const { out } = await runHere(['status', 'catalog'], { env: operator(url) })
    expect(out).toContain('wait  the worst before Headgate started; not judged again yet')
  })

  test('--json: one object', async () => {
    const { url } = await listeningApi()
    const { out } = await runHere(['status', '--json'], { env: operator(url) })
    expect(JSON.parse(out)).toMatchObject({
      migrations: [{ migration: 'eks-1-33', clusters: { old: 'prod-a', new: 'prod-b' } }],
      workloads: [{ name: 'catalog' }, { name: 'checkout' }],
    })
    const one = await runHere(['status', 'catalog', '--json'], { env: operator(url) })
    expect(JSON.parse(one.out)).toMatchObject({ name: 'catalog', plan: { policy: 'standard' } })
  })
})

describe('several migrations', () => {
  const twoOf = async () => {
    const api = await listeningApi()
    const [catalog, checkout] = [fakeView('catalog'), fakeView('checkout')]
    api.service.workloads = [catalog, { ...checkout, plan: { ...checkout.plan, migration: 'payments' } }]
    const clusters = { old: 'dublin', new: 'frankfurt' }
    api.service.status = {
      ...api.service.status,
      migrations: [...api.service.status.migrations, { migration: 'payments', clusters }],
    }
    for (let n = 1; n <= 1200; n += 1) api.service.append(fakeEvent(n % 400 === 0 ? 'checkout' : 'catalog', `no ${n}`))
    api.service.append(fakeEvent(null))
    return api
  }
  const run = async (...args: readonly string[]) => {
    const { url } = await twoOf()
    return runHere(args, { env: operator(url) })
  }

  test('status lists the workloads below the name of theirs', async () => {
    const { out } = await run('status')
    const lines = out.split('\n').map((line) => line.replace(/^(› \w+).*/, '$1'))
    expect(lines).toEqual([
      '2 migrations, swept 4 s ago, headgate 0.1.0',
      '',
      'eks-1-33: prod-a → prod-b',
      '› catalog',
      '',
      'payments: dublin → frankfurt',
      '› checkout',
      '',
    ])
  })

  test('status --migration shows one as if it were alone', async () => {
    const { out } = await run('status', '--migration', 'payments')
    expect(out).toMatch(/^payments: dublin → frankfurt, swept 4 s ago, headgate 0\.1\.0\n› checkout .*\n$/)
    const json = JSON.parse((await run('status', '--migration', 'payments', '--json')).out)
    expect(json.workloads.map(({ name }: { name: string }) => name)).toEqual(['checkout'])
  })

  test.each([['status'], ['journal']])('%s of one that is not there names those that are', async (name) => {
    const ran = await run(name, '--migration', 'nope')
    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toBe('CLI_USAGE: no migration "nope" (one of: eks-1-33, payments)\n')
  })

  test('status of a workload and of a migration at once does not fit', async () => {
    expect((await run('status', 'catalog', '--migration', 'payments')).code).toBe(2)
  })

  test.each([
    ['the newest', ['-n', '2'], [800, 1200]],
    ['all', ['-n', '50'], [400, 800, 1200]],
    ['those after one', ['-n', '1', '--after', '400'], [800]],
    ['those of its workload', ['-w', 'checkout'], [400, 800, 1200]],
    ['those of a workload of another one', ['-w', 'catalog'], []],
  ])('journal --migration: %s', async (_name, args, want) => {
    const { code, out } = await run('journal', '--json', '--migration', 'payments', ...args)
    expect(code).toBe(0)
    const lines = out.split('\n').filter((line) => line !== '')
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual(want)
  })

  test('journal --migration --follow takes in a workload that joins it later', async () => {
    const { service, url } = await twoOf()
    const { io, out, interrupt } = testIo({ env: operator(url) })
    const ran = runCli(['journal', '--json', '--follow', '-n', '1', '--migration', 'payments'], io)
    await untilHolds(() => expect(service.listeners.size).toBe(1))
    const ledger = fakeView('ledger')
    service.workloads = [...service.workloads, { ...ledger, plan: { ...ledger.plan, migration: 'payments' } }]
    service.append(fakeEvent('catalog'), fakeEvent('ledger'))
    await untilHolds(() => expect(out()).toContain('"ledger"'))
    expect(out().trimEnd().split('\n')).toHaveLength(2)
    interrupt()
    expect(await ran).toBe(0)
  })
})

describe('journal', () => {
  const grown = async () => {
    const api = await listeningApi()
    for (let n = 1; n <= 700; n += 1)
      api.service.append(fakeEvent(n % 100 === 0 ? 'checkout' : 'catalog', `reason ${n}`))
    return api
  }
  const seqs = (out: string) =>
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).seq)

  test.each([
    ['the newest', ['-n', '3'], [698, 699, 700]],
    ['the newest of a workload that is seldom', ['-n', '3', '-w', 'checkout'], [500, 600, 700]],
    ['more than there are of it', ['-n', '50', '-w', 'checkout'], [100, 200, 300, 400, 500, 600, 700]],
    ['those after one', ['-n', '2', '--after', '10'], [11, 12]],
    ['those of a workload after one', ['-n', '2', '--after', '150', '-w', 'checkout'], [200, 300]],
  ])('%s', async (_name, args, want) => {
    const { url } = await grown()
    const { code, out } = await runHere(['journal', '--json', ...args], { env: operator(url) })
    expect(code).toBe(0)
    expect(seqs(out)).toEqual(want)
  })

  test('an empty journal prints nothing', async () => {
    const { url } = await listeningApi()
    expect(await runHere(['journal'], { env: operator(url) })).toEqual({ code: 0, out: '', err: '' })
  })

  test('--follow goes on, over a restart of the service as well, until Ctrl-C', async () => {
    const first = await listeningApi()
    const { service, url } = first
    service.append(fakeEvent('catalog'))
    const { io, out, err, interrupt } = testIo({ env: operator(url) })
    const ran = runCli(['journal', '--json', '--follow'], io)
    await untilHolds(() => expect(service.listeners.size).toBe(1))
    service.append(fakeEvent('catalog'))
    await untilHolds(() => expect(seqs(out())).toEqual([1, 2]))
    await first.app.close()
    service.append(fakeEvent('catalog'))
    await untilHolds(() => expect(err()).toContain('API_UNREACHABLE'))
    const second = await listeningApi({ service, port: Number(new URL(url).port) })
    await untilHolds(() => expect(seqs(out())).toEqual([1, 2, 3]))
    expect(second.url).toBe(url)
    interrupt()
    expect(await ran).toBe(0)
  })

  test.each([
    ['--limit', '0'],
    ['--limit', 'x'],
    ['--after', '-1'],
    ['--after', '1.5'],
  ])('%s %s does not fit', async (option, value) => {
    expect((await runHere(['journal', `${option}=${value}`])).code).toBe(2)
  })
})

describe('validate and schema', () => {
  test('a config that cannot be read: its problem, exit code 2', async () => {
    const ran = await runHere(['validate', '/nowhere/headgate.yaml'])
    expect(ran).toMatchObject({ code: 2, out: '', err: expect.stringContaining('CONFIG_FILE_UNREADABLE: ') })
  })

  test('all problems in one go, each at its place', async () => {
    const path = temporaryFile('headgate.yaml', 'apiVersion: headgate/v1\nmigrashun: x\nclusters: { old: a, new: 3 }\n')
    const ran = await runHere(['validate', path])
    expect(ran.code).toBe(2)
    expect(ran.err).toContain(`${path}:2:1: CONFIG_UNKNOWN_KEY: `)
    expect(ran.err.trimEnd().split('\n').length).toBeGreaterThan(2)
    const json = await runHere(['validate', path, '--json'])
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, problems: expect.arrayContaining([expect.anything()]) })
  })

  test('the schema is JSON Schema of the config', async () => {
    const { code, out } = await runHere(['schema'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      properties: { workloads: expect.anything() },
    })
  })

  test('run refuses a bad config as validate does', async () => {
    const ran = await runHere(['run', '-c', '/nowhere/headgate.yaml'])
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('CONFIG_FILE_UNREADABLE: ') })
  })
})

describe('watch', () => {
  test('in a pipe: a line for each change, and none without', async () => {
    const clock = createFakeClock(NOW_MS)
    const { url, service } = await listeningApi()
    const { io, out, interrupt } = testIo({ env: operator(url), clock })
    const ran = runCli(['watch', '--json'], io)
    const names = () =>
      out()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).name)
    await untilHolds(() => expect(names()).toEqual(['catalog', 'checkout']))
    await lookAgain(clock)
    expect(names()).toHaveLength(2)
    service.workloads = [fakeView('catalog'), fakeView('checkout', { phase: { name: 'baking' } })]
    await lookAgain(clock)
    expect(names()).toEqual(['catalog', 'checkout', 'checkout'])
    interrupt()
    expect(await ran).toBe(0)
  })

  test('in a terminal: drawn over itself; the cursor comes back', async () => {
    const clock = createFakeClock(NOW_MS)
    const { url, service } = await listeningApi()
    service.append(fakeEvent('catalog'))
    const terminal = () => ({ columns: 100, rows: 40 })
    const { io, out, interrupt } = testIo({ env: operator(url), clock, terminal })
    const ran = runCli(['watch'], io)
    await untilHolds(() => expect(out()).toContain('preparing → stepping 1'))
    await lookAgain(clock)
    // Head, blank, two workloads, blank, one row: six lines up.
    expect(out()).toContain('\u001b[6A')
    interrupt()
    expect(await ran).toBe(0)
    expect(out().endsWith('\u001b[?25h')).toBe(true)
  })

  test('outlives the service: says so, keeps what was last seen, and finds it again', async () => {
    const clock = createFakeClock(NOW_MS)
    const { url, service, app } = await listeningApi()
    const { io, out, interrupt } = testIo({ env: operator(url), clock, terminal: () => ({ columns: 100, rows: 40 }) })
    const ran = runCli(['watch'], io)
    await untilHolds(() => expect(clock.sleepers()).toBe(1))
    await app.close()
    await lookAgain(clock)
    expect(out()).toContain('What was last seen:')
    await listeningApi({ service, port: Number(new URL(url).port) })
    const before = out().length
    await lookAgain(clock)
    expect(out().slice(before)).not.toContain('What was last seen:')
    interrupt()
    expect(await ran).toBe(0)
  })

  async function lookAgain(clock: ReturnType<typeof createFakeClock>) {
    await untilHolds(() => expect(clock.sleepers()).toBe(1))
    await clock.advance(1000)
    await untilHolds(() => expect(clock.sleepers()).toBe(1))
  }
})
