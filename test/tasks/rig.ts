import { onTestFinished } from 'vitest'
import type { TaskRequest } from '../../src/core/effect.ts'
import type { ProbeSpec } from '../../src/core/plan.ts'
import type { HttpTask, TaskReading, TaskSpec } from '../../src/core/task.ts'
import type { Cluster, ClusterWorkload } from '../../src/ports/cluster.ts'
import type { Clock } from '../../src/ports/runtime.ts'
import { NO_TRACER } from '../../src/ports/tracer.ts'
import { resolveSecret } from '../../src/shared/secret.ts'
import { createFakeLog, createFakeRandom } from '../../src/simulate/runtime.ts'
import { createTaskRunner, type TaskRunnerDeps } from '../../src/tasks/runner.ts'
import { createFastClock } from '../support/fast-clock.ts'
import { probeSpec } from '../support/probes.ts'
import { until } from '../support/until.ts'

export const SIGNING_KEY = 'a key that nobody guesses'

/** A runner that ends with the test, and what it told. */
export function createTaskRig(deps: Partial<TaskRunnerDeps> = {}) {
  const clock: Clock = deps.clock ?? createFastClock(100)
  const log = createFakeLog()
  const ended: string[] = []
  const env = { HOOK_KEY: SIGNING_KEY }
  const runner = createTaskRunner({
    random: createFakeRandom(),
    log,
    tracer: NO_TRACER,
    secret: (reference) => resolveSecret(reference, env),
    prober: { probe: async () => ({ kind: 'passed', seconds: 0.1 }), close: async () => {} },
    clustersOf: () => null,
    onEnded: (workload) => void ended.push(workload),
    ...deps,
    clock,
  })
  onTestFinished(() => runner.close())
  const readingOf = (key: string, workload = 'checkout') => runner.readings(workload)[key]
  return {
    runner,
    clock,
    log,
    ended,
    readingOf,
    /** Has a task done, and resolves with its end. */
    async run(spec: TaskSpec, changes: Partial<TaskRequest> = {}) {
      const request = taskRequest(spec, changes)
      runner.want([request])
      return until(
        `the end of ${request.key}`,
        () => endOf(readingOf(request.key, request.workload)),
        () => `${JSON.stringify(runner.readings(request.workload))}`,
      )
    },
  }
}

function endOf(reading: TaskReading | undefined) {
  return reading === undefined || reading.kind === 'running' ? null : reading
}

export function taskRequest(spec: TaskSpec, changes: Partial<TaskRequest> = {}): TaskRequest {
  return {
    workload: 'checkout',
    key: 'RUN/checkout/1/after-step/2/smoke/1',
    about: { runId: 'RUN', migration: 'eks-1-33', point: 'after-step', name: 'smoke', weightPercent: 10 },
    spec,
    tries: 3,
    // Of the fast clock: far beyond what any of these takes.
    deadlineSeconds: 36_000,
    ...changes,
  }
}

export function httpTask(url: string, changes: Partial<HttpTask> = {}): HttpTask {
  return {
    kind: 'http',
    url,
    signingKey: null,
    expectStatus: [200, 204],
    expectBody: null,
    timeoutSeconds: 6000,
    allowAddresses: [],
    ...changes,
  }
}

export function probeOfNew(name: string, address: string | null = '203.0.113.9'): ProbeSpec {
  return probeSpec({ name, url: `http://shop.test/${name}`, address: { old: null, new: address } })
}

/** A cluster of which a test says what it needs; the rest must not be asked. */
export function fakeCluster(parts: Partial<Cluster>): Cluster {
  const unasked = (): never => {
    throw new Error('a test of tasks asks no such thing')
  }
  return {
    workload: unasked,
    servedKinds: unasked,
    disruptionBudgets: unasked,
    mayDo: unasked,
    clockAheadMs: unasked,
    scale: unasked,
    job: unasked,
    tell: unasked,
    close: async () => {},
    ...parts,
  }
}

export function clusterWorkload(changes: Partial<ClusterWorkload> = {}): ClusterWorkload {
  return {
    ref: { kind: 'Deployment', namespace: 'shop', name: 'checkout' },
    wantedReplicas: 4,
    readyReplicas: 4,
    updatedReplicas: 4,
    isObserved: true,
    autoscaler: null,
    containers: [],
    configs: [],
    claims: [],
    podLabels: {},
    kinds: [],
    ...changes,
  }
}
