import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { untilHolds } from '../support/until.ts'
import { PATIENT } from './case.ts'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname
// Elsewhere there is no simple way to find the processes that belong to a demo.
const HAS_PROC = process.platform === 'linux'

/** Every process of the demo inherits this folder as its TMPDIR, by which it is found again. */
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-demo-e2e-'))
})

afterEach(async () => {
  for (const pid of ourProcesses()) process.kill(pid, 'SIGKILL')
  await untilHolds(() => expect(ourProcesses()).toEqual([]))
  rmSync(folder, { recursive: true, force: true })
})

const PROMISED = {
  ok: true,
  seconds: expect.any(Number),
  workloads: {
    catalog: {
      ...{ outcome: 'completed', expected: 'completed', finalWeightPercent: 100 },
      ...{ requests: expect.any(Number), failedRequests: 0, slowRequests: expect.any(Number) },
      secondsFromFirstBadToRevertConfirmed: null,
    },
    checkout: {
      ...{ outcome: 'reverted', expected: 'reverted', finalWeightPercent: 0 },
      ...{ requests: expect.any(Number), failedRequests: expect.any(Number), slowRequests: expect.any(Number) },
      secondsFromFirstBadToRevertConfirmed: expect.any(Number),
    },
    search: {
      ...{ outcome: 'halted', expected: 'halted', finalWeightPercent: 25 },
      ...{ requests: expect.any(Number), failedRequests: 0, slowRequests: expect.any(Number) },
      secondsFromFirstBadToRevertConfirmed: null,
    },
  },
}

// Both at once: each takes the better part of a minute, and hardly a processor.
test('the demo ends as it promises, leaves on request, and else stays up for a look around', PATIENT, async () => {
  const leaving = startDemo('--exit', '--json')
  const staying = startDemo('--json')
  const [exitCode] = await once(leaving.process, 'close')
  const last = leaving.stdout().trimEnd().split('\n').at(-1) ?? ''
  expect(JSON.parse(last), leaving.stderr()).toEqual(PROMISED)
  expect(exitCode).toBe(0)

  await untilHolds(() => expect(staying.stderr()).toContain('export HEADGATE_URL='))
  expect(JSON.parse(staying.stdout()), staying.stderr()).toEqual(PROMISED)
  const [, url, token] = /HEADGATE_URL=(\S+) HEADGATE_TOKEN=(\S+)/.exec(staying.stderr()) ?? []
  const access = { HEADGATE_URL: url, HEADGATE_TOKEN: token }
  await headgate(access, 'revert', 'search', '--reason', 'too slow')
  await untilHolds(async () => {
    const text = await headgate(access, 'status', 'search', '--json')
    expect(JSON.parse(text)).toMatchObject({ phase: { name: 'reverted' }, confirmedWeightPercent: 0 })
  })

  staying.process.kill('SIGINT')
  expect(await once(staying.process, 'close')).toEqual([0, null])
  expect(ourProcesses()).toEqual([])
  expect(readdirSync(folder)).toEqual([])
})

describe.runIf(HAS_PROC)('stopped half-way', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('by %s, it ends every process and removes its files', async (signal) => {
    const demo = startDemo()
    await underWay(demo)
    const children = ourProcesses().length - 1
    demo.process.kill(signal)
    expect(await once(demo.process, 'close')).toEqual([130, null])
    expect(children).toBe(8)
    expect(ourProcesses()).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })

  test('by kill -9, no process outlives it for long', async () => {
    const demo = startDemo()
    await underWay(demo)
    demo.process.kill('SIGKILL')
    await once(demo.process, 'close')
    await untilHolds(() => expect(ourProcesses()).toEqual([]))
  })

  test('by the loss of a process of its own, it says which, and fails', async () => {
    const demo = startDemo('--exit')
    await underWay(demo)
    process.kill(ourProcesses(/router\.ts/).at(0) ?? Number.NaN, 'SIGKILL')
    expect(await once(demo.process, 'close')).toEqual([1, null])
    expect(demo.stderr()).toContain('router ended by itself (SIGKILL)')
    expect(ourProcesses()).toEqual([])
  })
})

interface RunningDemo {
  readonly process: ChildProcess
  stdout(): string
  stderr(): string
}

function startDemo(...args: readonly string[]): RunningDemo {
  const child = spawn(process.execPath, [MAIN, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder, NO_COLOR: '1' },
  })
  const texts = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.err += text
  })
  return { process: child, stdout: () => texts.out, stderr: () => texts.err }
}

/** Runs a command of the command line against a demo; resolves with what it printed. */
async function headgate(access: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...access },
  })
  return stdout
}

async function underWay(demo: RunningDemo): Promise<void> {
  await untilHolds(() => expect(demo.stdout(), demo.stderr()).toContain('stepping 1/5'))
}

/** Live processes with our folder in their environment, this one excepted. */
function ourProcesses(command = /./): number[] {
  if (!HAS_PROC) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => readProc(pid, 'environ').includes(`TMPDIR=${folder}\0`) && command.test(readProc(pid, 'cmdline')))
    .map(Number)
}

/** Empty for a process that has gone, is a zombie, or is somebody else's. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
