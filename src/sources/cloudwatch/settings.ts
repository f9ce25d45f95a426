import { z } from 'zod'
import { awsAccountKeys, awsRegion } from '../../shared/aws.ts'
import { about, duration, refuse } from '../../shared/schema.ts'
import { requestTimeout } from '../settings.ts'

const text = z.string().min(1).max(255)

const name = z
  .strictObject({
    cluster: text.optional().meta(about('The cluster that it stands for', 'prod-a')),
    workload: text.optional().meta(about('The workload that it stands for', 'checkout')),
  })
  .meta(about('What a value of a dimension stands for', { cluster: 'prod-a', workload: 'checkout' }))

/** Settings of the source `cloudwatch`: the metrics of one account in one region. */
export const cloudwatchSettings = z
  .strictObject({
    ...awsAccountKeys(),
    region: awsRegion().meta(about('The region that holds the metrics', 'eu-central-1')),
    names: z
      .record(text, name)
      .default({})
      .meta(
        about('What values of dimensions stand for, where they are no names of clusters or workloads', {
          'targetgroup/checkout-blue/0123456789abcdef': { cluster: 'prod-a', workload: 'checkout' },
        }),
      ),
    period: duration({ minSeconds: 1, maxSeconds: 3600 })
      .prefault('1m')
      .superRefine((seconds, ctx) => {
        if (![1, 5, 10, 20, 30].includes(seconds) && seconds % 60 !== 0)
          refuse(ctx, 'CONFIG_WRONG_VALUE', 'CloudWatch has no such period', 'write 1s, 5s, 10s, 20s, 30s, or minutes')
        if (3600 % seconds !== 0) refuse(ctx, 'CONFIG_WRONG_VALUE', 'an hour is no multiple of this', 'write 1m or 5m')
      })
      .meta(about('Length of the periods that are counted by; below 1m for high-resolution metrics alone', '1m')),
    ingestDelay: duration({ maxSeconds: 3600 })
      .prefault('2m')
      .meta(about('How long after the fact all points have arrived', '2m')),
    timeout: requestTimeout('A call without an answer by then is missing'),
  })
  .transform(({ period, ingestDelay, timeout, ...rest }) => ({
    ...rest,
    periodSeconds: period,
    ingestDelaySeconds: ingestDelay,
    timeoutSeconds: timeout,
  }))

export type CloudwatchSettings = z.output<typeof cloudwatchSettings>
