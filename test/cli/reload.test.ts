import { describe, expect, test } from 'vitest'
import { type ApiToken, EVERYTHING } from '../../src/policy/access.ts'
import type { Reloaded } from '../../src/policy/changes.ts'
import { listeningApi, TOKENS, VIEWER_TOKEN } from '../support/api.ts'
import { runHere } from '../support/cli.ts'

const ADMIN: ApiToken = { name: 'root', role: 'admin', approves: [], scope: EVERYTHING, token: '${env:ADMIN}' }
const CHANGES: Reloaded['changes'] = [
  { change: 'changed', what: 'setting', name: 'api.tokens', migration: null },
  { change: 'removed', what: 'migration', name: 'payments', migration: null },
  { change: 'changed', what: 'setting', name: 'calendar', migration: 'eks' },
  { change: 'added', what: 'workload', name: 'cart', migration: 'eks' },
]
const PROBLEMS: Reloaded['problems'] = [
  {
    code: 'CONFIG_UNKNOWN_KEY',
    cause: 'unknown key "sweeep"',
    hint: 'write sweep',
    at: { file: 'a.yaml', line: 3, column: 1 },
  },
  { code: 'CONFIG_NEEDS_RESTART', cause: 'a.yaml: store was changed', hint: 'restart it' },
]

async function reload(reloaded: Partial<Reloaded>, options: readonly string[] = [], token = 'admin-token') {
  const answer = { problems: [], changes: [], ...reloaded }
  const { url, secrets, service } = await listeningApi({ tokens: () => [...TOKENS, ADMIN], reload: async () => answer })
  secrets.set('${env:ADMIN}', 'admin-token')
  const ran = await runHere(['reload', ...options], { env: { HEADGATE_URL: url, HEADGATE_TOKEN: token } })
  return { ...ran, hash: service.control.status().configHash }
}

describe('headgate reload', () => {
  test('says what is new, gone and other', async () => {
    const { code, out, err, hash } = await reload({ changes: CHANGES })
    expect([code, err]).toEqual([0, ''])
    expect(out).toBe(
      `config ${hash} is in force:\n  ~ api.tokens\n  - migration payments\n  ~ calendar of eks\n  + workload cart of eks\n`,
    )
  })

  test('says of a workload that it moves on by the plan it has', async () => {
    const changes = [{ change: 'changed', what: 'workload', name: 'cart', migration: 'eks' }] as const
    expect((await reload({ changes })).out).toContain('a rollout that has begun keeps the plan')
  })

  test('says that nothing has changed', async () => {
    const { code, out, hash } = await reload({})
    expect([code, out]).toEqual([0, `config ${hash} is in force; nothing has changed\n`])
  })

  test('prints every problem at its place, and that the old config stays', async () => {
    const { code, out, err } = await reload({ problems: PROBLEMS })
    expect([code, out]).toEqual([2, ''])
    expect(err.split('\n')).toEqual([
      'a.yaml:3:1: CONFIG_UNKNOWN_KEY: unknown key "sweeep" (write sweep)',
      'CONFIG_NEEDS_RESTART: a.yaml: store was changed (restart it)',
      'the old config stays',
      '',
    ])
  })

  test('for machines is one object, either way', async () => {
    const taken = await reload({ changes: CHANGES }, ['--json'])
    expect([taken.code, JSON.parse(taken.out)]).toEqual([0, { ok: true, configHash: taken.hash, changes: CHANGES }])
    const refused = await reload({ problems: PROBLEMS }, ['--json'])
    expect([refused.code, JSON.parse(refused.out)]).toEqual([2, { ok: false, problems: PROBLEMS }])
  })

  test('takes a token of the role admin', async () => {
    const { code, err } = await reload({}, [], VIEWER_TOKEN)
    expect([code, err]).toEqual([4, expect.stringContaining('API_FORBIDDEN')])
  })
})
