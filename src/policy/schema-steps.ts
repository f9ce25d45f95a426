import { z } from 'zod'
import { about, duration, percent } from '../shared/schema.ts'
import { text } from './schema-names.ts'

const DAY_SECONDS = 86_400

/** What a step is; one that names none of them asks for an approval alone. */
const KINDS = ['weight', 'marked', 'mirror', 'wait', 'warm'] as const

const warmSchema = z
  .strictObject({
    requests: z
      .int()
      .min(1)
      .max(100_000)
      .meta(about('How many requests are sent to NEW', 500, 'requests')),
    perSecond: z
      .number()
      .min(0.1)
      .max(1000)
      .prefault(20)
      .meta(about('How many a second, at an even rate', 20, 'requests/s')),
    pass: percent({ min: 1 })
      .prefault('99%')
      .meta(about('Of the last fifth of the answers, at least 100, so many must pass', '99%')),
  })
  .meta(
    about("Instead of a weight: requests at NEW, asked as the workload's probes are, so that it is warm for users", {
      requests: 500,
    }),
  )

const approvalSchema = z
  .union([
    z.boolean(),
    z.strictObject({
      roles: z
        .array(text())
        .prefault([])
        .meta(
          about('One of these roles must be among what the token `approves`; by default any operator', [
            'release-managers',
          ]),
        ),
      expires: duration({ minSeconds: 1, maxSeconds: 30 * DAY_SECONDS })
        .optional()
        .meta(about('An approval older than that is asked for again; by default it does not expire', '4h')),
    }),
  ])
  .prefault(false)
  .meta(about('A person must approve before the step; alone, it is a step of its own', true))

const stepSchema = z
  .strictObject({
    weight: percent({ min: 0.1 }).optional().meta(about('Share sent to NEW, in steps of 0.1', '10%')),
    marked: z
      .literal(true)
      .optional()
      .meta(about('Instead of a weight: only requests that are marked for it go to NEW', true)),
    mirror: percent({ min: 0.1 })
      .optional()
      .meta(about('Instead of a weight: NEW gets a copy of this share, and its answers are dropped', '10%')),
    wait: duration({ minSeconds: 1, maxSeconds: 30 * DAY_SECONDS })
      .optional()
      .meta(about('Instead of a weight: everything stays as it is for so long, and is watched', '30m')),
    warm: warmSchema.optional(),
    hold: duration({ maxSeconds: 30 * DAY_SECONDS })
      .optional()
      .meta(
        about(
          'How long the weight must have been in force, and observed, before the next step; a weight and a trial need it',
          '10m',
        ),
      ),
    approval: approvalSchema,
  })
  .superRefine((step, ctx) => {
    const refuse = (key: string | null, message: string, hint: string, code = 'CONFIG_STEPS') =>
      ctx.addIssue({ code: 'custom', ...(key !== null && { path: [key] }), message, params: { code, hint } })
    const said = KINDS.filter((kind) => step[kind] !== undefined)
    const hint = `give each step one of: ${KINDS.join(', ')}; or an approval alone`
    if (said.length > 1) refuse(null, 'a step that is more than one thing', hint)
    else if (said.length === 0 && step.approval === false) refuse(null, 'a step that does nothing', hint)
    else if (said[0] === 'wait' && step.hold !== undefined)
      refuse('hold', 'a wait that is held as well', 'write `wait` alone: it is the time that is held')
    else if (['weight', 'marked', 'mirror'].includes(said[0] ?? '') && step.hold === undefined)
      refuse('hold', 'this item of `steps` needs the key "hold"', 'add it, for example hold: 10m', 'CONFIG_MISSING_KEY')
  })
  .meta(about('A weight, a trial, a wait, a warm-up or an approval', { weight: '10%', hold: '10m' }))

export type StepSettings = z.output<typeof stepSchema>

/** The steps of a policy, in their order. */
export const stepsSchema = z
  .array(stepSchema)
  .min(1)
  .superRefine((steps, ctx) => {
    const refuse = (index: number, message: string, hint: string) =>
      ctx.addIssue({ code: 'custom', path: [index, 'weight'], message, params: { code: 'CONFIG_STEPS', hint } })
    for (const [index, { weight, marked, mirror }] of steps.entries()) {
      const before = steps
        .slice(0, index)
        .map((step) => step.weight)
        .findLast((one) => one !== undefined)
      if (before === undefined) continue
      if (marked !== undefined || mirror !== undefined)
        refuse(index, 'a trial after a weight', 'put what moves no user before the first weight')
      else if (weight !== undefined && weight <= before)
        refuse(index, `${weight}% is not above the step before, ${before}%`, 'write the weights in rising order')
    }
    const last = steps.at(-1)
    if (last && last.weight !== 100)
      refuse(
        steps.length - 1,
        last.weight === undefined ? 'the last step moves nothing' : `the last step is ${last.weight}%, not 100%`,
        'add a step with `weight: 100%` at the end',
      )
  })
  .meta(
    about('Rising weights, ending at 100%, with trials, waits, warm-ups and approvals between them', [
      { weight: '10%', hold: '10m' },
      { weight: '100%', hold: '10m' },
    ]),
  )
