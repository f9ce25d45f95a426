import { z } from 'zod'
import { about, duration, percent } from '../shared/schema.ts'

const timesOld = () =>
  z
    .number()
    .min(1)
    .max(100)
    .optional()
    .meta(about("Times OLD's rate of bad events that NEW may have", 1.5, 'times'))

const plusBudgets = (least: number) =>
  z
    .number()
    .min(least)
    .max(50)
    .optional()
    .meta(about('What NEW may have on top, in error budgets (1 − objective)', 1, 'budgets'))

const falseAlarms = () =>
  percent({ min: 0.001, max: 10, decimals: 3 })
    .optional()
    .meta(about('Share of healthy rollouts that may be stopped by chance; the tests of a workload share it', '0.1%'))

const burst = () => z.number().min(1).max(1000).optional()

/** How much worse than OLD each test lets NEW be, and how often it may be wrong. */
export const evidenceSchema = z
  .strictObject({
    revert: z
      .strictObject({ timesOld: timesOld(), plusBudgets: plusBudgets(0.05), falseAlarms: falseAlarms() })
      .optional()
      .meta(about('NEW is worse than OLD by so much: bring the traffic back', { timesOld: 1.5, plusBudgets: 1 })),
    halt: z
      .strictObject({ timesOld: timesOld(), plusBudgets: plusBudgets(0.05), falseAlarms: falseAlarms() })
      .optional()
      .meta(about('NEW is worse than OLD by a little: stop at this weight', { timesOld: 1, plusBudgets: 0.5 })),
    absolute: z
      // Below one budget NEW would be stopped for keeping its objective.
      .strictObject({ plusBudgets: plusBudgets(1), falseAlarms: falseAlarms() })
      .optional()
      .meta(about('NEW is bad whatever OLD does: stop at this weight', { plusBudgets: 2 })),
    latency: z
      .strictObject({
        plus: percent({ min: 0.01, max: 50, decimals: 2 })
          .optional()
          .meta(
            about("What NEW may have on top of OLD's share, in points of its requests: from 0.01% to 50%", '0.25%'),
          ),
      })
      .optional()
      .meta(
        about('The share slower than a bucket boundary, at each; false alarms are those of `halt` and `revert`', {
          plus: '0.25%',
        }),
      ),
    probes: z
      .strictObject({
        plus: percent({ min: 0.1, max: 30 })
          .optional()
          .meta(about("Share of rounds that may fail on NEW beyond OLD's: from 0.1% to 30%", '5%')),
      })
      .optional()
      .meta(about('Rounds of probes, compared as requests are', { plus: '5%' })),
    bursts: z
      .strictObject({
        assumed: burst().meta(about("How bursty bad events are where OLD's history is too short to tell", 3, 'φ')),
        max: burst().meta(about('The most that is believed', 50, 'φ')),
      })
      .optional()
      .meta(
        about('φ, variance over mean, of the bad events in a sweep: 1 if each comes by itself', {
          assumed: 3,
          max: 50,
        }),
      ),
  })
  .optional()
  .meta(about('Tests of NEW against OLD, valid at any number of looks', { halt: { timesOld: 1, plusBudgets: 0.5 } }))

/** What a raise needs beside the absence of harm. */
export const proofSchema = z
  .strictObject({
    need: z
      .number()
      .min(2)
      .max(1_000_000)
      .optional()
      .meta(
        about('A weight at which NEW is not good enough is passed in fewer than 1 of so many rollouts', 10, 'times'),
      ),
    timesOld: timesOld(),
    plusBudgets: plusBudgets(0.05),
    lowTraffic: z
      .strictObject({
        after: duration({ minSeconds: 1, maxSeconds: 30 * 86_400 })
          .optional()
          .meta(about('Traffic is too low when so long a time in force has proven nothing', '2h')),
        then: z
          .enum(['wait', 'probes', 'person'])
          .optional()
          .meta(
            about(
              'What then counts: more requests alone, the passes of the probes, or a person with `advance`',
              'wait',
            ),
          ),
      })
      .optional()
      .meta(about('Where too little traffic comes to prove it', { after: '2h', then: 'wait' })),
  })
  .optional()
  .meta(about('Proof that NEW is good enough for the next weight', { need: 10, timesOld: 1.5, plusBudgets: 1 }))

const spent = () => percent({ min: 0.01, max: 100, decimals: 2 }).optional()

/** Limits of what the migration itself may spend. */
export const budgetSchema = z
  .strictObject({
    halt: spent().meta(about('Spent so much: stop at this weight', '1%')),
    revert: spent().meta(about('Spent so much: bring the traffic back', '2%')),
  })
  .optional()
  .meta(
    about("What the migration may spend of 30 days' error budget: failures on NEW beyond those of OLD", {
      halt: '1%',
      revert: '2%',
    }),
  )

export type EvidenceSettings = NonNullable<z.output<typeof evidenceSchema>>
export type ProofSettings = NonNullable<z.output<typeof proofSchema>>
export type BudgetSettings = NonNullable<z.output<typeof budgetSchema>>
