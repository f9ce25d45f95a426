import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT } from '../../src/cli/exit.ts'
import { type Io, styleOf } from '../../src/cli/io.ts'
import { type Children, createChildren } from './children.ts'
import { createLiveDisplay, createPlainDisplay } from './display.ts'
import { type Load, startLoad } from './load.ts'
import { watchToTheEnd } from './story.ts'
import { goodbyeLines, introLines, summaryLines, visitLines } from './words.ts'
import { headgateCommand, REQUESTS_PER_SECOND, startWorld, type World } from './world.ts'

export interface DemoOptions extends Pick<Io, 'out' | 'err' | 'env' | 'terminal' | 'interrupted'> {
  /** Leave at the end, instead of staying up for a look around. */
  readonly exit: boolean
  /** The last line of `out` is a JSON report; progress goes to `err`, in plain lines. */
  readonly json: boolean
}

/** As shells count a process that Ctrl-C ended. */
const INTERRUPTED = 130

/** For all outcomes to be there. */
const STORY_SECONDS = 180
/** For the load; when it ends, the demo does. */
const LOAD_SECONDS = 30 * 60
const SLOW_MS = 500

/**
 * Starts two small clusters and a Headgate, lets it migrate three workloads under load, and reports. Resolves with the
 * exit code: 0 as expected, 1 not so, or something broke, 5 not finished in three minutes, 130 interrupted. Every
 * process that it started has ended by then.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-demo-'))
  const children = createChildren(folder)
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
    return await tellStory(options, world, load, children.broken)
  } catch (error) {
    if (options.interrupted.aborted) return INTERRUPTED
    // A lost process shows first in whatever waited for it; its own end says more.
    const fault: unknown = children.broken.aborted ? children.broken.reason : error
    const cause = fault instanceof Error ? fault.message : String(fault)
    options.err(`The demo broke: ${cause}\n`)
    if (options.json) options.out(`${JSON.stringify({ ok: false, error: cause })}\n`)
    return EXIT.failed
  } finally {
    stopLoad.abort()
    await load?.done
    await children.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function tellStory(options: DemoOptions, world: World, load: Load, broken: Children['broken']): Promise<number> {
  const progress = options.json ? options.err : options.out
  const say = (lines: readonly string[]) => progress(`${lines.join('\n')}\n`)
  const ending = AbortSignal.any([options.interrupted, broken])
  const deadline = AbortSignal.timeout(STORY_SECONDS * 1000)
  const isLive = !options.json && options.terminal() !== null
  const display = isLive ? createLiveDisplay(options) : createPlainDisplay(progress)
  say(introLines(styleOf(options)))
  const report = await watchToTheEnd(world, load, display, { ending, deadline }).finally(display.end)
  const exitCode = report.ok ? EXIT.ok : deadline.aborted ? EXIT.timeout : EXIT.failed
  say(summaryLines(report, styleOf(options)))
  if (options.json) options.out(`${JSON.stringify(report)}\n`)
  if (options.exit) {
    say(goodbyeLines())
    return exitCode
  }
  say(visitLines({ ...world, command: headgateCommand() }, styleOf(options)))
  await Promise.race([aborted(ending), load.done])
  broken.throwIfAborted()
  return exitCode
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
