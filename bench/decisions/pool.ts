/** Runs jobs on all cores. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Job } from './measure.ts'
import { addTallies, type Tallies, type Tally } from './tally.ts'

/** By scenario, then by decider. */
export type Results = Readonly<Record<string, Tallies>>

/** Results do not depend on how many workers there are, nor on who is done first. */
export async function runJobs(jobs: readonly Job[], signal: AbortSignal): Promise<Results> {
  const done = new Array<Tallies | undefined>(jobs.length)
  let next = 0
  const workers = Array.from({ length: Math.min(availableParallelism(), jobs.length) }, () => startWorker())
  try {
    const work = workers.map(async (worker) => {
      for (let index = next++; index < jobs.length; index = next++) {
        const job = jobs[index]
        if (job) done[index] = await ask(worker, job, signal)
      }
    })
    await Promise.all(work)
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  const results: Record<string, Record<string, Tally>> = {}
  for (const [index, { scenario }] of jobs.entries()) {
    results[scenario] ??= {}
    addTallies(results[scenario], done[index] ?? {})
  }
  return results
}

function startWorker(): Worker {
  return new Worker(join(import.meta.dirname, 'worker.ts'))
}

function ask(worker: Worker, job: Job, signal: AbortSignal): Promise<Tallies> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Tallies>()
  const onAbort = () => reject(signal.reason)
  worker.once('message', resolve)
  worker.once('error', reject)
  signal.addEventListener('abort', onAbort, { once: true })
  worker.postMessage(job)
  return promise.finally(() => {
    worker.off('message', resolve)
    worker.off('error', reject)
    signal.removeEventListener('abort', onAbort)
  })
}
