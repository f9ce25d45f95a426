import { z } from 'zod'
import { HOOK_POINTS } from '../core/task.ts'
import { objectName } from '../shared/kubernetes/settings.ts'
import { about, duration, percent, secretReference } from '../shared/schema.ts'
import { addressRange, answerSchema, httpUrl } from './schema-http.ts'
import { name } from './schema-names.ts'

/** As many as of one workload keep their outcome. */
const MOST_HOOKS = 10
const DAY_SECONDS = 86_400
/** Points that are about a step. */
const STEP_POINTS: readonly string[] = ['before-step', 'after-step']

const httpSchema = z
  .strictObject({
    url: httpUrl().meta(about('Where it is posted to', 'https://tests.example.com/smoke')),
    signingKey: secretReference()
      .optional()
      .meta(about('The key that signs the body (HMAC-SHA256); left out: not signed', '${env:HOOK_KEY}')),
    expect: answerSchema([200, 204]).superRefine(({ status }, ctx) => {
      if (!status.includes(202)) return
      const params = { code: 'CONFIG_WRONG_VALUE', hint: 'take it out: after a 202 the hook is asked again' }
      ctx.addIssue({ code: 'custom', path: ['status'], message: '202 says that it is still running', params })
    }),
    timeout: duration({ minSeconds: 1, maxSeconds: 3600 })
      .prefault('30s')
      .meta(about('How long one answer may take; what takes longer answers 202 at once', '30s')),
    allowAddresses: z
      .array(addressRange())
      .prefault([])
      .meta(about('Link-local or metadata addresses that it may have all the same', ['169.254.10.0/24'])),
  })
  .meta(about('A signed POST to a server', { url: 'https://tests.example.com/smoke' }))

const jobSchema = z
  .strictObject({
    cluster: z.enum(['old', 'new']).prefault('new').meta(about('Where the Job runs', 'new')),
    namespace: objectName().meta(about("The CronJob's namespace", 'shop')),
    cronJob: objectName().meta(about('The CronJob whose template the Job is made of; it may be suspended', 'smoke')),
  })
  .meta(about('A Kubernetes Job', { namespace: 'shop', cronJob: 'smoke' }))

const hookSchema = z
  .strictObject({
    name: name().meta(about('Unique in the policy', 'smoke')),
    at: z.enum(HOOK_POINTS).meta(about('When it is done', 'after-step')),
    steps: z
      .array(percent({ min: 0.1 }))
      .min(1)
      .optional()
      .meta(
        about('Only at the steps that move to these weights; by default at each step, waits and approvals too', [
          '10%',
        ]),
      ),
    http: httpSchema.optional(),
    job: jobSchema.optional(),
    tries: z
      .int()
      .min(1)
      .max(100)
      .prefault(3)
      .meta(about('Tries, where no answer comes, before it has failed', 3, 'tries')),
    deadline: duration({ minSeconds: 1, maxSeconds: DAY_SECONDS })
      .prefault('10m')
      .meta(about('All tries together', '10m')),
    then: z
      .enum(['hold', 'revert', 'go-on'])
      .prefault('hold')
      .meta(about('What a failure does; `go-on`: it is told alone', 'hold')),
  })
  .superRefine(({ at, steps, http, job, then }, ctx) => {
    const add = (path: string[], code: string, message: string, hint: string) =>
      ctx.addIssue({ code: 'custom', path, message, params: { code, hint } })
    if ((http === undefined) === (job === undefined)) {
      const message = http === undefined ? 'nothing says what the hook does' : 'a hook that does two things'
      add(
        [],
        http === undefined ? 'CONFIG_MISSING_KEY' : 'CONFIG_WRONG_VALUE',
        message,
        'give each hook one of: http, job',
      )
    }
    if (steps !== undefined && !STEP_POINTS.includes(at))
      add(
        ['steps'],
        'CONFIG_WRONG_VALUE',
        `\`${at}\` is about no step`,
        `take it out, or use ${STEP_POINTS.join(' or ')}`,
      )
    if (then === 'revert' && (at === 'preflight' || at === 'after-revert'))
      add(['then'], 'CONFIG_WRONG_VALUE', `at \`${at}\` there is nothing to revert`, 'write hold or go-on')
  })

/** What others do for a rollout, at points of its way. */
export const hooksSchema = z
  .array(hookSchema)
  .max(MOST_HOOKS)
  .superRefine((hooks, ctx) => {
    for (const [index, { name: hook }] of hooks.entries()) {
      if (hooks.findIndex((other) => other.name === hook) === index) continue
      const params = { code: 'CONFIG_DUPLICATE', hint: 'give each hook a name of its own' }
      ctx.addIssue({ code: 'custom', path: [index, 'name'], message: `the hook "${hook}" is there already`, params })
    }
  })
  .meta(
    about('What others do at points of the way, and what follows if it fails', [
      { name: 'smoke', at: 'after-step', http: { url: 'https://tests.example.com/smoke' } },
    ]),
  )

export type HookSettings = z.output<typeof hookSchema>
