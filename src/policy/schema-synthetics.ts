import { z } from 'zod'
import { about } from '../shared/schema.ts'
import { name, text } from './schema-names.ts'

const testSchema = z.strictObject({
  test: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,100}$/)
    .meta(about('The public id of the test', 'abc-def-ghi')),
  location: text()
    .optional()
    .meta(about('Only results from there: a private location in the cluster, say', 'pl:prod-b-0a1b2c3d')),
})

/** Tests that others run, of which a workload takes the results. */
export const syntheticsSchema = z
  .array(
    z.strictObject({
      name: name().meta(about('Unique among the probes and synthetics of the workload', 'journey')),
      source: text().prefault('datadog').meta(about('Kind of the source that runs the tests', 'datadog')),
      old: testSchema.optional().meta(about('The test that looks at OLD', { test: 'abc-def-ghi' })),
      new: testSchema.optional().meta(about('The test that looks at NEW', { test: 'jkm-nop-qrs' })),
    }),
  )
  .prefault([])
  .meta(about('Synthetic tests that run elsewhere by themselves, judged as probes are'))
