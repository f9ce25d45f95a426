import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Style } from '../../src/cli/view.ts'
import { createChildren } from './children.ts'
import { createFollower } from './follow.ts'
import { type Load, startLoad } from './load.ts'
import { createLiveScreen, createPlainScreen, type Screen } from './screen.ts'
import { watchToTheEnd } from './story.ts'
import { goodbyeLines, introLines, summaryLines, visitLines } from './words.ts'
import { headgateCommand, REQUESTS_PER_SECOND, startWorld, type World } from './world.ts'

export interface DemoOptions {
  /** Leave at the end, instead of staying up for a look around. */
  readonly exit: boolean
  /** The last line of `out` is a JSON report; progress goes to `err`. */
  readonly json: boolean
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** How to draw; `rows` null: not a terminal, so plain lines. Asked anew for each picture. */
  readonly terminal: () => Style & { readonly rows: number | null }
}

const EXIT_OK = 0
const EXIT_FAILED = 1
const EXIT_TIMED_OUT = 5
const EXIT_INTERRUPTED = 130

/** For all outcomes to be there. */
const STORY_SECONDS = 180
/** For the load, and so for the whole demo. */
const LOAD_SECONDS = 30 * 60
const SLOW_MS = 500

/**
 * Starts two small clusters and a Headgate, lets it migrate three workloads under load, and reports. Resolves with the
 * exit code: 0 as expected, 1 not so, or something broke, 5 not finished in three minutes, 130 interrupted. Every
 * process that it started has ended by then.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const interrupt = onInterrupt()
  const folder = mkdtempSync(join(tmpdir(), 'headgate-demo-'))
  const children = createChildren(folder)
  const ends: Ends = { interrupted: interrupt.signal, broken: children.broken }
  const stopLoad = new AbortController()
  let load: Load | null = null
  try {
    const world = await startWorld(children, folder)
    load = startLoad({
      urls: world.trafficUrls,
      requestsPerSecond: REQUESTS_PER_SECOND,
      slowerThanMs: SLOW_MS,
      maxRequests: LOAD_SECONDS * REQUESTS_PER_SECOND,
      signal: stopLoad.signal,
    })
    return await tellStory(options, world, load, ends)
  } catch (error) {
    if (interrupt.signal.aborted) return EXIT_INTERRUPTED
    const cause = error instanceof Error ? error.message : String(error)
    options.err(`The demo broke: ${cause}\n`)
    if (options.json) options.out(`${JSON.stringify({ ok: false, error: cause })}\n`)
    return EXIT_FAILED
  } finally {
    stopLoad.abort()
    await load?.done
    await children.stop()
    rmSync(folder, { recursive: true, force: true })
    interrupt.release()
  }
}

/** What may end the demo before its time. */
interface Ends {
  readonly interrupted: AbortSignal
  /** One of its processes is gone. */
  readonly broken: AbortSignal
}

async function tellStory(options: DemoOptions, world: World, load: Load, ends: Ends): Promise<number> {
  const progress = options.json ? options.err : options.out
  const say = (lines: readonly string[]) => progress(`${lines.join('\n')}\n`)
  const follower = createFollower(world.apiUrl, world.apiToken)
  const screen = chooseScreen(options, progress)
  const ending = AbortSignal.any([ends.interrupted, ends.broken])
  const deadline = AbortSignal.timeout(STORY_SECONDS * 1000)
  say(introLines(options.terminal()))
  const report = await watchToTheEnd(world, load, follower, screen, { ending, deadline }).finally(screen.end)
  const exitCode = report.ok ? EXIT_OK : deadline.aborted ? EXIT_TIMED_OUT : EXIT_FAILED
  say(summaryLines(report, options.terminal()))
  if (options.json) options.out(`${JSON.stringify(report)}\n`)
  else if (options.exit) say(goodbyeLines())
  if (!options.exit) {
    say(visitLines({ ...world, command: headgateCommand() }, options.terminal()))
    await Promise.race([aborted(ending), load.done])
    ends.broken.throwIfAborted()
  }
  return exitCode
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function chooseScreen({ json, terminal }: DemoOptions, progress: (text: string) => void): Screen {
  const { rows } = terminal()
  if (json || rows === null) return createPlainScreen(progress, terminal())
  return createLiveScreen(progress, terminal)
}

interface Interrupt {
  readonly signal: AbortSignal
  release(): void
}

/** Ctrl-C, `kill`, and a closed terminal all end the demo in good order. */
function onInterrupt(): Interrupt {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of names) process.on(name, abort)
  return {
    signal: controller.signal,
    release: () => {
      for (const name of names) process.off(name, abort)
    },
  }
}
