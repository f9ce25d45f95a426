import { describe, expect, test } from 'vitest'
import { fakeView } from '../fakes/service.ts'
import { listeningApi, OPERATOR_TOKEN } from '../support/api.ts'
import { runHere } from '../support/cli.ts'
import { fakeFleet } from '../support/fleet-view.ts'

const operator = (url: string) => ({ HEADGATE_URL: url, HEADGATE_TOKEN: OPERATOR_TOKEN })

describe('a command to all', () => {
  test('reaches every workload that has traffic on NEW, in one go', async () => {
    const { url, service } = await listeningApi()
    service.workloads = [
      fakeView('catalog', { phase: { name: 'completed' } }),
      fakeView('checkout', { phase: { name: 'stepping', stepIndex: 0 } }),
      fakeView('search', { phase: { name: 'waiting' } }),
      fakeView('cart', { phase: { name: 'reverted', reason: 'x' } }),
    ]
    const { code, out } = await runHere(['revert', '--all', '-r', 'prod-b is on fire'], { env: operator(url) })
    expect({ code, out }).toEqual({
      code: 0,
      out: 'revert for 2 workloads is in the inbox: catalog, checkout\nsee headgate watch\n',
    })
    expect(service.submitted).toMatchObject([
      { workload: 'catalog', command: 'revert', reason: 'prod-b is on fire', actor: 'ada', force: false },
      { workload: 'checkout', command: 'revert' },
    ])
  })

  test('may be one to a wave, or to a migration', async () => {
    const { url, service } = await listeningApi()
    service.fleets = [fakeFleet()]
    const wave = await runHere(['revert', '--wave', 'canaries', '-r', 'x'], { env: operator(url) })
    expect(wave).toMatchObject({
      code: 0,
      out: 'revert for 1 workload is in the inbox: catalog\nsee headgate watch\n',
    })
    const args = ['pause', '--wave', 'rest', '--migration', 'eks-1-33', '-r', 'x']
    expect(await runHere(args, { env: operator(url) })).toMatchObject({ code: 0 })
    expect(await runHere(['halt', '--migration', 'eks-1-33', '-r', 'x'], { env: operator(url) })).toMatchObject({
      code: 0,
    })
    expect(service.submitted.map(({ workload, command }) => [command, workload])).toEqual([
      ['revert', 'catalog'],
      ['pause', 'checkout'],
      ['halt', 'catalog'],
      ['halt', 'checkout'],
    ])
  })

  test('that none of them fits is refused', async () => {
    const { url, service } = await listeningApi()
    service.workloads = [fakeView('search', { phase: { name: 'waiting' } })]
    const ran = await runHere(['revert', '--all', '-r', 'x', '--json'], { env: operator(url) })
    expect(ran).toMatchObject({ code: 3 })
    expect(JSON.parse(ran.out)).toMatchObject({ code: 'COMMAND_NOTHING_TO_DO' })
  })

  test.each([
    [['revert', '-r', 'x'], 'CLI_USAGE: name one workload, or say --all'],
    [['revert', 'catalog', '--all', '-r', 'x'], 'CLI_USAGE: name one workload, or say --all'],
    [['revert', '--all', '--wave', 'rest', '-r', 'x'], 'CLI_USAGE: name one workload, or say --all'],
    [['revert', 'catalog', '--migration', 'eks-1-33', '-r', 'x'], 'CLI_USAGE: name one workload, or say --all'],
    [['cancel', '--all', '-r', 'x'], "CLI_USAGE: unknown option '--all'"],
    [['adopt', '-r', 'x'], 'CLI_USAGE: name one workload, or say --all'],
    [['adopt', 'catalog', '--all', '-r', 'x'], 'CLI_USAGE: name one workload, or say --all'],
    [['adopt', '--all'], "CLI_USAGE: required option '-r, --reason <text>' not specified"],
    [['adopt', 'nobody', '--dry-run'], 'API_NOT_FOUND: no workload "nobody"'],
  ])('%j is not understood', async (args, err) => {
    const { url, service } = await listeningApi()
    const ran = await runHere(args, { env: operator(url) })
    expect(ran).toMatchObject({ code: err.startsWith('CLI_USAGE') ? 2 : 3, err: expect.stringContaining(err) })
    expect(service.submitted).toEqual([])
  })
})

describe('adopt', () => {
  const found = (detail: string) => ({
    phase: { name: 'waiting' } as const,
    holds: [{ cause: 'unknown-weight', detail, sinceMs: 0, actor: 'headgate' } as const],
  })

  async function lostStore() {
    const { url, service } = await listeningApi()
    service.fleets = [fakeFleet()]
    service.workloads = [
      fakeView('catalog', found('lb reads 25 %')),
      fakeView('checkout', { phase: { name: 'waiting' } }),
      fakeView('search', found('lb reads 50 %')),
    ]
    return { env: operator(url), service }
  }

  test.each<[string, readonly string[], string]>([
    ['all', ['--all'], 'catalog: lb reads 25 %\nsearch: lb reads 50 %\n'],
    ['one', ['search'], 'search: lb reads 50 %\n'],
    ['several', ['catalog', 'checkout', 'search'], 'catalog: lb reads 25 %\nsearch: lb reads 50 %\n'],
    ['a wave', ['--wave', 'canaries'], 'catalog: lb reads 25 %\n'],
  ])('a dry run of %s says what was found, and sends nothing', async (_name, which, out) => {
    const { env, service } = await lostStore()
    expect(await runHere(['adopt', ...which, '--dry-run'], { env })).toEqual({ code: 0, out, err: '' })
    expect(service.submitted).toEqual([])
  })

  test('a dry run where nothing is unknown is refused', async () => {
    const { env } = await lostStore()
    const ran = await runHere(['adopt', 'checkout', '--dry-run', '--json'], { env })
    expect(ran.code).toBe(3)
    expect(JSON.parse(ran.out)).toMatchObject({ code: 'COMMAND_NOTHING_TO_DO' })
  })

  test('to all reaches those whose weight is unknown, and so does a revert', async () => {
    const { env, service } = await lostStore()
    for (const command of ['adopt', 'revert'])
      expect(await runHere([command, '--all', '-r', 'flushed'], { env })).toMatchObject({
        code: 0,
        out: `${command} for 2 workloads is in the inbox: catalog, search\nsee headgate watch\n`,
      })
    expect(service.submitted.map(({ workload, command }) => [command, workload])).toEqual([
      ['adopt', 'catalog'],
      ['adopt', 'search'],
      ['revert', 'catalog'],
      ['revert', 'search'],
    ])
  })

  test('of several by name says it to each', async () => {
    const { env, service } = await lostStore()
    const ran = await runHere(['adopt', 'catalog', 'search', '-r', 'flushed', '--no-wait'], { env })
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(service.submitted).toMatchObject([
      { workload: 'catalog', command: 'adopt', reason: 'flushed', actor: 'ada' },
      { workload: 'search', command: 'adopt' },
    ])
  })
})
