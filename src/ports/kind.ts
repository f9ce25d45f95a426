import type { z } from 'zod'
import type { Json } from '../core/plan.ts'
import type { Quotas } from './quota.ts'
import type { Clock, Log } from './runtime.ts'
import type { Tracer } from './tracer.ts'

/** What the config may say for a kind: a strict zod schema, whose output is plain JSON (secrets stay references). */
export type SettingsSchema<Settings> = z.ZodType<Settings>

/** What every adapter may use. */
export interface AdapterContext {
  readonly clock: Clock
  readonly log: Log
  readonly quotas: Quotas
  readonly tracer: Tracer
  /** Turns a reference such as `${env:NAME}` into its value, read now. Throws CONFIG_SECRET_UNRESOLVED. */
  readonly secret: (reference: string) => string
}

/** A policy document that grants the least that is needed, e.g. an IAM policy or a Kubernetes Role. */
export interface Privilege {
  /** What it is and who is to have it, e.g. `IAM policy of the role that Headgate runs with`. */
  readonly title: string
  readonly format: 'json' | 'yaml' | 'text'
  readonly document: Json
}
