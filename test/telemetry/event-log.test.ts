import { expect, test } from 'vitest'
import type { EventBody, JournalRow } from '../../src/core/event.ts'
import { explain } from '../../src/core/explain.ts'
import { createEventLog } from '../../src/telemetry/event-log.ts'

function logged(bodies: readonly EventBody[], workload: string | null = 'checkout') {
  const lines: { level: string; fields: object; message: string }[] = []
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message })
  const rows = bodies.map(
    (body, index): JournalRow => ({
      seq: index + 1,
      event: { atMs: 0, runId: '01RUN', workload, actor: 'headgate', ...body },
    }),
  )
  createEventLog({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, (name) =>
    name === 'checkout' ? 'eks-1-33' : null,
  )(rows)
  return { lines, rows }
}

const REVERT: EventBody = {
  type: 'revert-started',
  fromPercent: 10,
  toPercent: 0,
  reason: 'errors in the shop',
  evidence: [],
}

test('a revert is told on info, with its seq, its workload and the sentence of the journal', () => {
  const { lines, rows } = logged([REVERT])
  const [row] = rows
  const told = row && explain(row.event)
  expect(told).toContain('errors in the shop')
  expect(lines).toEqual([
    {
      level: 'info',
      fields: { seq: 1, type: 'revert-started', migration: 'eks-1-33', workload: 'checkout', actor: 'headgate', told },
      message: 'decided',
    },
  ])
})

test('an event about the whole service names no workload', () => {
  const { lines } = logged([{ type: 'config-loaded', hash: 'a1', added: ['checkout'], removed: [] }], null)
  expect(lines.map(({ fields }) => 'workload' in fields)).toEqual([false])
})

test('what changes no phase, weight or hold is left to the journal', () => {
  const applied: EventBody = {
    type: 'weight-applied',
    targetId: 't',
    weightPercent: 10,
    ttlSeconds: null,
    appliedAtMs: 0,
    secondsSinceIntended: 0,
  }
  expect(logged([{ type: 'rollout-created' }, applied]).lines).toEqual([])
})
