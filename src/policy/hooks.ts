import type { Hook } from '../core/task.ts'
import type { HookSettings } from './schema-hooks.ts'

/** A hook as a plan has it. */
export function planHook({ name, at, steps, http, job, tries, deadline, then }: HookSettings): Hook {
  const way = { id: name, at, weightsPercent: steps ?? null, tries, deadlineSeconds: deadline, then }
  if (job) return { ...way, task: { kind: 'job', ...job } }
  if (!http) throw new Error(`the hook ${name} does nothing: the schema lets a config pass that it should not`)
  const { url, signingKey = null, expect, timeout, allowAddresses } = http
  const { status, body = null } = expect
  return {
    ...way,
    task: {
      kind: 'http',
      url,
      signingKey,
      expectStatus: status,
      expectBody: body,
      timeoutSeconds: timeout,
      allowAddresses,
    },
  }
}
