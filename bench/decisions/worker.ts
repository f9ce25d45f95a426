import { parentPort } from 'node:worker_threads'
import { type Job, measureRuns } from './measure.ts'

parentPort?.on('message', (job: Job) => parentPort?.postMessage(measureRuns(job)))
