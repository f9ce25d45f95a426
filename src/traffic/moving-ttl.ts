import { z } from 'zod'
import { about, duration } from '../shared/schema.ts'

/** The `ttl` of a DNS kind's settings: seconds; null for `keep`. */
export function movingTtl(usual: string, description: string, example = usual) {
  return z
    .union([z.literal('keep'), duration({ minSeconds: 1, maxSeconds: 86_400 })])
    .prefault(usual)
    .transform((ttl) => (ttl === 'keep' ? null : ttl))
    .meta(about(description, example))
}
