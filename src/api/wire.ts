import { z } from 'zod'
import { CATALOGUE } from '../core/catalogue.ts'
import { COMMANDS, COMMANDS_TO_ALL } from '../core/observation.ts'
import type { ProblemCode, ProblemJson } from '../core/problem.ts'
import { JOURNAL_FAULTS, type JournalVerdict } from '../shared/journal-chain.ts'
import {
  holdSchema,
  momentSchema,
  outcomeSchema,
  percentSchema,
  phaseSchema,
  planSchema,
  readingsSchema,
  sliEvidenceSchema,
  verdictSchema,
} from './wire-rollout.ts'

/** What goes over the API's wire, as schemas: they validate, serialize, document, and give the types below. */

const codes = Object.keys(CATALOGUE) as [ProblemCode, ...ProblemCode[]]

export const problemSchema = z.object({
  code: z.enum(codes),
  cause: z.string(),
  hint: z.string(),
  at: z.object({ file: z.string(), line: z.int(), column: z.int() }).exactOptional(),
}) satisfies z.ZodType<ProblemJson>

export const refusalSchema = problemSchema
  .extend({ requestId: z.string() })
  .meta({ id: 'Problem', description: 'Why the request was refused or failed' })

export const statusSchema = z
  .object({
    version: z.string(),
    /** Those of the config; a workload whose file is gone may belong to one more. */
    migrations: z.array(z.object({ migration: z.string(), clusters: z.object({ old: z.string(), new: z.string() }) })),
    configHash: z.string(),
    startedAtMs: momentSchema,
    nowMs: momentSchema,
    lastSweepAtMs: momentSchema.nullable(),
    sweepSeconds: z.number(),
    ready: z.boolean(),
    notReady: z.array(problemSchema),
  })
  .meta({ id: 'Status' })

export const workloadSchema = z
  .object({
    name: z.string(),
    migration: z.string(),
    runId: z.string(),
    policy: z.string(),
    phase: phaseSchema,
    phaseSinceMs: momentSchema,
    /** From 1, while stepping. */
    stepNumber: z.int().nullable(),
    stepCount: z.int(),
    intendedWeightPercent: percentSchema,
    /** null: never read back yet. */
    confirmedWeightPercent: percentSchema.nullable(),
    /** null: not judged yet. */
    observedSharePercent: z.number().nullable(),
    /** null: the weight is not in force yet. */
    inForceAtMs: momentSchema.nullable(),
    heldSeconds: z.number(),
    holds: z.array(holdSchema),
    /** The worst that a gate said last; null: nothing was judged yet. */
    outcome: outcomeSchema.nullable(),
    /** In one clause, why the workload stands where it stands. */
    why: z.string(),
  })
  .meta({ id: 'Workload' })

export const workloadDetailSchema = workloadSchema
  .extend({
    /** With their numbers; null: nothing was judged since Headgate started. Only `outcome` is stored. */
    verdicts: z.array(verdictSchema).nullable(),
    /** By SLI name: counts since the weight came in force. */
    evidence: z.record(z.string(), sliEvidenceSchema),
    readings: readingsSchema,
    times: z.object({
      intendedAtMs: momentSchema,
      confirmedAtMs: momentSchema.nullable(),
      inForceAtMs: momentSchema.nullable(),
      judgeSinceMs: momentSchema,
      blindSinceMs: momentSchema.nullable(),
      lastStepMs: momentSchema,
    }),
    plan: planSchema,
    /** The plan is pinned; false: the config's own, while waiting. */
    planPinned: z.boolean(),
  })
  .meta({ id: 'WorkloadDetail' })

// Events differ by type; a reader that does not know a type still has its sentence.
const eventSchema = z.looseObject({
  type: z.string(),
  atMs: momentSchema,
  runId: z.string(),
  workload: z.string().nullable(),
  actor: z.string(),
})

export const journalRowSchema = z
  .object({
    seq: z.int(),
    severity: z.enum(['info', 'warn', 'page']),
    sentence: z.string(),
    event: eventSchema,
  })
  .meta({ id: 'JournalRow' })

export const journalPageSchema = z
  .object({
    rows: z.array(journalRowSchema),
    /** Ask for rows after this one next. */
    nextAfterSeq: z.int(),
    /** The newest row of the whole journal. */
    lastSeq: z.int(),
  })
  .meta({ id: 'JournalPage' })

export const journalHeadSchema = z
  .object({ seq: z.int().min(0), hash: z.string() })
  .meta({ id: 'JournalHead', description: 'The newest row’s number and hash; to be noted down elsewhere' })

export const journalVerdictSchema: z.ZodType<JournalVerdict> = z
  .object({
    head: journalHeadSchema,
    /** null: every row is as it was written. */
    fault: z.object({ seq: z.int(), what: z.enum(JOURNAL_FAULTS), detail: z.string() }).nullable(),
  })
  .meta({ id: 'JournalVerdict' })

const reasonSchema = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^[^\p{Cc}]*$/u, 'must be one line')
  .meta({ description: 'For the journal: one line' })

export const commandSchema = z
  .strictObject({
    command: z.enum(COMMANDS),
    reason: reasonSchema,
    force: z.boolean().default(false).meta({ description: 'Revert although OLD looks no better' }),
  })
  .refine((body) => !body.force || body.command === 'revert', {
    path: ['force'],
    message: 'only a revert can be forced',
  })

export const submittedSchema = z
  .object({
    /** The journal's `command-done` or `command-refused` carries it. */
    factId: z.string(),
    /** False: this Idempotency-Key was used before, and nothing was added. */
    isNew: z.boolean(),
  })
  .meta({ id: 'Submitted' })

export const commandToAllSchema = z.strictObject({
  command: z.enum(COMMANDS_TO_ALL),
  reason: reasonSchema,
  wave: z.string().min(1).max(63).optional().meta({ description: 'Only the workloads of this wave' }),
  migration: z.string().min(1).max(63).optional().meta({ description: 'Only the workloads of this migration' }),
})

export const submittedToAllSchema = z
  .object({ commands: z.array(z.object({ workload: z.string(), factId: z.string() })) })
  .meta({ id: 'SubmittedToAll', description: 'To whom the command was said' })

export const readySchema = z.object({ ready: z.boolean(), problems: z.array(problemSchema) }).meta({ id: 'Ready' })

export type StatusJson = z.infer<typeof statusSchema>
export type WorkloadJson = z.infer<typeof workloadSchema>
export type WorkloadDetailJson = z.infer<typeof workloadDetailSchema>
export type JournalRowJson = z.infer<typeof journalRowSchema>
export type JournalPageJson = z.infer<typeof journalPageSchema>
export type SubmittedToAllJson = z.infer<typeof submittedToAllSchema>
export type SubmittedJson = z.infer<typeof submittedSchema>
