import { describe, expect, test } from 'vitest'
import { problem } from '../../src/core/problem.ts'
import { createLog, type LogOptions } from '../../src/telemetry/log.ts'

function capture(options: Partial<LogOptions> = {}) {
  const text: string[] = []
  const destination = { write: (line: string) => void text.push(line) }
  const log = createLog({ level: 'info', migration: () => 'eks-1-33', runId: '01RUN', destination, ...options })
  const lines = (): Record<string, unknown>[] => text.map((line) => JSON.parse(line))
  return { log, lines, text }
}

describe('a log line', () => {
  test('is one JSON object with level, time, migration, run id, fields and message', () => {
    const { log, lines, text } = capture()
    log.info({ workload: 'checkout' }, 'swept')
    expect(text.join('')).toMatch(/^\{.*\}\n$/)
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        migration: 'eks-1-33',
        runId: '01RUN',
        workload: 'checkout',
        msg: 'swept',
      },
    ])
  })

  test('of a child has the fields of the child, too', () => {
    const { log, lines } = capture()
    log.child({ workload: 'checkout' }).child({ gate: 'availability' }).warn({ n: 1 }, 'odd')
    expect(lines()).toEqual([
      expect.objectContaining({ runId: '01RUN', workload: 'checkout', gate: 'availability', n: 1, level: 'warn' }),
    ])
  })

  test('below the level is not written', () => {
    const { log, lines } = capture({ level: 'warn' })
    log.debug({}, 'a')
    log.info({}, 'b')
    log.warn({}, 'c')
    log.error({}, 'd')
    expect(lines().map(({ msg }) => msg)).toEqual(['c', 'd'])
  })

  test.each(['err', 'error'])('tells a problem under `%s` by code, hint and what led to it', (key) => {
    const { log, lines } = capture()
    log.error({ [key]: problem('STORE_BUSY', 'locked', { from: new Error('inner') }) }, 'no commit')
    expect(lines()[0]?.[key]).toMatchObject({
      code: 'STORE_BUSY',
      hint: expect.any(String),
      message: expect.stringContaining('locked'),
      stack: expect.stringContaining('inner'),
    })
  })
})

describe('a secret that should never have got here', () => {
  const SECRET = 'hunter2'
  const fields: [string, object][] = [
    ['in a field', { token: SECRET }],
    ['in a header', { headers: { authorization: `Bearer ${SECRET}`, Cookie: SECRET } }],
    ['deep in the settings', { target: { settings: { auth: { password: SECRET } } } }],
    ['in a list', { tokens: [{ name: 'ada', token: SECRET }] }],
    ['in an error', { err: Object.assign(new Error('refused'), { request: { headers: { authorization: SECRET } } }) }],
  ]
  test.each(fields)('%s is not written', (_, field) => {
    const { log, text } = capture()
    log.info(field, 'careless')
    log.child(field).info({}, 'careless')
    expect(text).toHaveLength(2)
    expect(text.join('')).toContain('[redacted]')
    expect(text.join('')).not.toContain(SECRET)
  })
})
