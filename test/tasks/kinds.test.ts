import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProbeOutcome } from '../../src/core/observation.ts'
import type { JobTask, ScaleTask, WarmTask } from '../../src/core/task.ts'
import type { ClusterWorkload, JobRequest, JobState } from '../../src/ports/cluster.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { jobName } from '../../src/tasks/job.ts'
import { clusterWorkload, createTaskRig, fakeCluster, probeOfNew, taskRequest } from './rig.ts'

const NO_ACCESS = 'no access to the API server of new is configured (`kubernetes:`)'
const unreachable = { kind: 'missing', why: 'unreachable', detail: 'no route' } as const

describe('a Job', () => {
  const spec: JobTask = { kind: 'job', cluster: 'new', namespace: 'shop', cronJob: 'smoke' }

  /** Runs it where the API server gives these answers, the last of them for ever. */
  async function runJob(answers: readonly Awaited<ReturnType<ReturnType<typeof fakeCluster>['job']>>[], tries = 2) {
    const asked: JobRequest[] = []
    const cluster = fakeCluster({
      job: async (request) => {
        asked.push(request)
        return answers[Math.min(asked.length, answers.length) - 1] ?? unreachable
      },
    })
    const { run } = createTaskRig({ clustersOf: () => ({ old: fakeCluster({}), new: cluster }) })
    return { end: await run(spec, { tries }), asked }
  }

  const state = (outcome: JobState['outcome'], detail: string) => ({ outcome, detail })

  test('is asked about until it has ended', async () => {
    const { end, asked } = await runJob([state('running', '1 active'), unreachable, state('passed', 'Complete')])
    expect(end.kind).toBe('passed')
    expect(end.detail).toMatch(/^Job shop\/headgate-[a-z0-9-]+: Complete$/)
    expect(new Set(asked.map(({ name }) => name)).size).toBe(1)
    expect(asked[0]).toMatchObject({
      namespace: 'shop',
      cronJob: 'smoke',
      env: {
        HEADGATE_RUN_ID: 'RUN',
        HEADGATE_MIGRATION: 'eks-1-33',
        HEADGATE_WORKLOAD: 'checkout',
        HEADGATE_POINT: 'after-step',
        HEADGATE_NAME: 'smoke',
        HEADGATE_WEIGHT_PERCENT: '10',
        HEADGATE_KEY: 'RUN/checkout/1/after-step/2/smoke/1',
      },
    })
    expect(asked[0]?.deadlineSeconds).toBeLessThanOrEqual(36_000)
    expect(asked[0]?.deadlineSeconds).toBeGreaterThan(30_000)
  })

  test('that fails is tried again as another Job', async () => {
    const { end, asked } = await runJob([state('failed', 'BackoffLimitExceeded')])
    expect(end).toMatchObject({ kind: 'failed' })
    expect(end.detail).toMatch(/: BackoffLimitExceeded; tried 2 times$/)
    expect(new Set(asked.map(({ name }) => name)).size).toBe(2)
  })

  test.each([
    ['empty', 'no CronJob shop/smoke', 1],
    ['refused', 'may not create jobs', 1],
    ['unreachable', 'no route', 10],
  ] as const)('that cannot be made (%s)', async (why, detail, questions) => {
    const { end, asked } = await runJob([{ kind: 'missing', why, detail }])
    expect(end).toMatchObject({ kind: 'failed' })
    expect(end.detail).toContain(`: ${detail}`)
    expect(asked.length).toBe(questions)
  })

  test('without access to the cluster', async () => {
    expect(await createTaskRig().run(spec)).toMatchObject({ kind: 'failed', detail: NO_ACCESS })
  })

  test('has a name that Kubernetes takes, and another one for each key and try', () => {
    const key = fc.string({ unit: 'grapheme', maxLength: 200 })
    fc.assert(
      fc.property(key, key, fc.integer({ min: 1, max: 100 }), (one, other, number) => {
        expect(jobName(one, number)).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
        expect(jobName(one, number)).toBe(jobName(one, number))
        expect(jobName(one, number + 1)).not.toBe(jobName(one, number))
        if (one !== other) expect(jobName(other, number)).not.toBe(jobName(one, number))
      }),
    )
  })
})

describe('scaling', () => {
  const object = { kind: 'Deployment', namespace: 'shop', name: 'checkout' } as const
  const up = (replicas: number): ScaleTask => ({ kind: 'scale', cluster: 'new', object, replicas, isDown: false })
  const down = (replicas: number): ScaleTask => ({ ...up(replicas), isDown: true })

  async function runScale(spec: ScaleTask, found: Partial<ClusterWorkload> | null) {
    const scaled: number[] = []
    const cluster = fakeCluster({
      workload: async () => found && clusterWorkload(found),
      scale: async (_, replicas) => {
        scaled.push(replicas)
        return null
      },
    })
    const { run } = createTaskRig({ clustersOf: () => ({ old: fakeCluster({}), new: cluster }) })
    return { end: await run(spec), scaled }
  }

  const autoscaler = { name: 'checkout', minReplicas: 2, maxReplicas: 10 }

  test.each<[string, ScaleTask, Partial<ClusterWorkload> | null, 'passed' | 'failed', string, number[]]>([
    ['up', up(12), {}, 'passed', 'Deployment shop/checkout in new: 4 → 12 replicas', [12]],
    ['up, where there are more', up(3), {}, 'passed', 'Deployment shop/checkout in new has 4 replicas already', []],
    ['down, as was meant', down(0), {}, 'passed', 'Deployment shop/checkout in new: 4 → 0 replicas', [0]],
    [
      'down, where there are fewer',
      down(6),
      {},
      'passed',
      'Deployment shop/checkout in new has 4 replicas already',
      [],
    ],
    [
      'within what the autoscaler allows',
      up(10),
      { autoscaler },
      'passed',
      'Deployment shop/checkout in new: 4 → 10 replicas',
      [10],
    ],
    [
      'beyond it',
      up(11),
      { autoscaler },
      'failed',
      'Deployment shop/checkout in new: its autoscaler checkout allows at most 10 replicas, and 11 are needed; raise maxReplicas',
      [],
    ],
    [
      'below it',
      down(1),
      { autoscaler },
      'failed',
      'Deployment shop/checkout in new: its autoscaler checkout keeps at least 2, so 1 would not last; lower minReplicas',
      [],
    ],
    [
      'to nothing, which ends an autoscaler',
      down(0),
      { autoscaler },
      'passed',
      'Deployment shop/checkout in new: 4 → 0 replicas',
      [0],
    ],
    ['what is not there', up(12), null, 'failed', 'there is no Deployment shop/checkout in new', []],
  ])('%s', async (_, spec, found, kind, detail, scaled) => {
    const result = await runScale(spec, found)
    expect(result.end).toMatchObject({ kind, detail })
    expect(result.scaled).toEqual(scaled)
  })

  test('never lowers what it was not told to lower', async () => {
    const count = fc.integer({ min: 0, max: 1000 })
    await fc.assert(
      fc.asyncProperty(count, count, async (wantedReplicas, replicas) => {
        const { scaled } = await runScale(up(replicas), { wantedReplicas })
        expect(scaled.every((one) => one > wantedReplicas)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('without access to the cluster', async () => {
    expect(await createTaskRig().run(up(1))).toMatchObject({ kind: 'failed', detail: NO_ACCESS })
  })
})

describe('a warm-up', () => {
  const warm = (changes: Partial<WarmTask> = {}): WarmTask => {
    return { kind: 'warm', requests: 500, perSecond: 20, passPercent: 99, probes: [probeOfNew('a')], ...changes }
  }

  /** Warms up a NEW that answers request `n`, from 0, so; on a clock that the test moves. */
  async function warmUp(spec: WarmTask, answer: (n: number) => ProbeOutcome | Promise<ProbeOutcome>) {
    const clock = createFakeClock(0)
    const sent: { readonly atMs: number; readonly name: string }[] = []
    const prober = {
      probe: async ({ name }: { readonly name: string }) => {
        sent.push({ atMs: clock.nowMs(), name })
        return answer(sent.length - 1)
      },
      close: async () => {},
    }
    const { runner, readingOf } = createTaskRig({ clock, prober })
    runner.want([taskRequest(spec, { key: 'k', tries: 1 })])
    await clock.advance(100_000)
    return { end: readingOf('k'), sent }
  }

  const passes: ProbeOutcome = { kind: 'passed', seconds: 0.1 }
  const fails: ProbeOutcome = { kind: 'failed', seconds: 0.1, why: 'status 503' }

  test('sends so many requests, at an even rate, in turns of the probes of NEW', async () => {
    const probes = [probeOfNew('a'), probeOfNew('of old alone', null), probeOfNew('b')]
    const { sent, end } = await warmUp(warm({ requests: 40, probes }), () => passes)
    expect(sent.map(({ name }) => name)).toEqual(Array.from({ length: 20 }, () => ['a', 'b']).flat())
    expect(sent.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 40 }, (_, n) => n * 50))
    expect(end).toMatchObject({ kind: 'passed', seconds: 1.95 })
  })

  test.each<[string, Partial<WarmTask>, (n: number) => ProbeOutcome, 'passed' | 'failed', string]>([
    [
      'is cold at first',
      {},
      (n) => (n < 400 ? fails : passes),
      'passed',
      '100 of the last 100 of 500 requests at new passed, 95 % of these within 0.1 s',
    ],
    [
      'stays bad a little',
      {},
      (n) => (n % 100 === 7 ? fails : passes),
      'passed',
      '99 of the last 100 of 500 requests at new passed, 95 % of these within 0.1 s',
    ],
    [
      'stays bad',
      {},
      (n) => (n % 50 === 7 ? fails : passes),
      'failed',
      '98 of the last 100 of 500 requests at new passed, 95 % of these within 0.1 s; 99 % must; the newest failure: status 503',
    ],
    [
      'answers nothing',
      { requests: 20 },
      () => fails,
      'failed',
      '0 of all 20 requests at new passed; 99 % must; the newest failure: status 503',
    ],
    [
      'is asked often',
      { requests: 1500, perSecond: 1000 },
      (n) => (n < 1200 ? fails : passes),
      'passed',
      '300 of the last 300 of 1500 requests at new passed, 95 % of these within 0.1 s',
    ],
    [
      'has a slow tail',
      { requests: 100 },
      (n) => (n < 94 ? passes : { kind: 'passed', seconds: 2 }),
      'passed',
      '100 of all 100 requests at new passed, 95 % of these within 2 s',
    ],
  ])('of a NEW that %s', async (_, changes, answer, kind, detail) => {
    const { end, sent } = await warmUp(warm(changes), answer)
    expect(end).toMatchObject({ kind, detail })
    expect(sent.length).toBe(warm(changes).requests)
  })

  test('has no more than 64 requests under way, however slow NEW is', async () => {
    let [open, most] = [0, 0]
    const answers: (() => void)[] = []
    const slow = () => {
      most = Math.max(most, ++open)
      return new Promise<ProbeOutcome>((resolve) => {
        answers.push(() => {
          open -= 1
          resolve(passes)
        })
      })
    }
    const { sent } = await warmUp(warm({ perSecond: 1000 }), slow)
    expect(sent.length).toBe(64)
    while (answers.length > 0) {
      for (const answer of answers.splice(0)) answer()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(most).toBe(64)
  })

  test('without a probe of NEW', async () => {
    const { end } = await warmUp(warm({ probes: [probeOfNew('a', null)] }), () => passes)
    expect(end).toMatchObject({ kind: 'failed', detail: 'no probe of the workload has an address of new' })
  })
})
