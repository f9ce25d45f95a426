import { z } from 'zod'
import { about, duration } from '../shared/schema.ts'
import { expression } from './promql.ts'
import { labelName } from './schema-names.ts'

const DRAIN = "How long OLD's remaining traffic is watched after baking"

/** A time alone, or with what counts as quiet. */
export const drainSchema = z
  .union([
    duration().transform((seconds) => ({
      for: seconds,
      maxRequests: undefined,
      connections: undefined,
      by: undefined,
    })),
    z.strictObject({
      for: duration().optional().meta(about(DRAIN, '1h')),
      maxRequests: z
        .int()
        .min(0)
        .optional()
        .meta(about('Requests at OLD in the whole time that still count as quiet', 0, 'requests')),
      connections: z
        .strictObject({
          query: expression().meta(
            about(
              "PromQL that counts connections, one sample a cluster and workload, with the SLIs' labels",
              'sum by (cluster, service) (nginx_connections_active)',
            ),
          ),
          max: z
            .int()
            .min(0)
            .prefault(0)
            .meta(about('Connections that still count as quiet', 0, 'connections')),
        })
        .optional()
        .meta(about('Connections at OLD, where the requests do not tell all')),
      by: z
        .array(labelName())
        .optional()
        .meta(about("Labels of the requests' series that tell who still comes", ['client'])),
    }),
  ])
  .meta(about(`${DRAIN}, and what counts as quiet`, '1h'))
