import { describe, expect, test } from 'vitest'
import { formatProblem, type ProblemJson } from '../../src/core/problem.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { kinds } from '../policies/kinds.ts'

const CANARY = 'hunter2canary'

const BASE = `apiVersion: headgate/v1
migration: m
clusters: { old: a, new: b }
sources:
  metrics:
    url: http://prometheus:9090
slis:
  availability: { objective: 99.9%, total: requests_total, bad: failed_total }
workloads:
  - name: checkout
    traffic:
      hook: { url: "http://router:8080", split: checkout }
`

/** Places where people put a secret, each a config that must be refused without a word of it. */
const misplaced: Readonly<Record<string, string>> = {
  'as a bearer token': edit('url: http://prometheus:9090', `url: http://p:9090\n    auth: { bearer: ${CANARY} }`),
  'as a password': edit(
    'url: http://prometheus:9090',
    `url: http://p:9090\n    auth: { basic: { username: me, password: ${CANARY} } }`,
  ),
  'as a target token': edit('split: checkout', `split: checkout, token: ${CANARY}`),
  'as an API token': `${BASE}api: { tokens: [{ name: alice, role: viewer, token: ${CANARY} }] }\n`,
  'as a whole token entry': `${BASE}api: { tokens: [${CANARY}] }\n`,
  'as the list of tokens': `${BASE}api: { tokens: ${CANARY} }\n`,
  'beside a reference': edit('split: checkout', `split: checkout, token: "\${env:PRESENT}${CANARY}"`),
  'in a reference that has a default': edit('split: checkout', `split: checkout, token: "\${env:ABSENT:-${CANARY}}"`),
  'below an unknown key': edit('url: http://prometheus:9090', `url: http://p:9090\n    password: ${CANARY}`),
  'below an unknown key, deeper': edit(
    'url: http://prometheus:9090',
    `url: http://p:9090\n    headers: { X-Key: ${CANARY} }`,
  ),
  'in a URL of a source': edit('http://prometheus:9090', `http://me:${CANARY}@prometheus:9090`),
  'in a URL as the user': edit('http://prometheus:9090', `http://${CANARY}@prometheus:9090`),
  'in a URL of a target': edit('"http://router:8080"', `"http://me:${CANARY}@router:8080"`),
  'in a URL of a probe': edit(
    'split: checkout }',
    `split: checkout }\n    probes: [{ url: "https://me:${CANARY}@shop/", address: { new: 203.0.113.9 } }]`,
  ),
  'in an address of a probe': edit(
    'split: checkout }',
    `split: checkout }\n    probes: [{ url: https://shop/, address: { new: "https://me:${CANARY}@shop" } }]`,
  ),
  'in a URL in a duration': `${BASE}sweep: http://me:${CANARY}@prometheus\n`,
  'in a URL as a policy': `${BASE}policy: http://me:${CANARY}@prometheus\n`,
  'in a duplicate key': edit('split: checkout', `split: checkout, token: ${CANARY}, token: ${CANARY}`),
  'in a line that is no YAML': edit('split: checkout', `split: checkout, token: ${CANARY}: ${CANARY}`),
  'in a quote that is not closed': edit('split: checkout', `split: checkout, token: "${CANARY}`),
  'after a tag': edit('split: checkout', `split: checkout, token: !secret ${CANARY}`),
  'through an anchor': edit('old: a', `old: &secret http://x:${CANARY}@y`).replace(
    'split: checkout',
    'split: checkout, token: *secret',
  ),
}

describe('a secret', () => {
  test.each(Object.entries(misplaced))('%s is refused and not repeated', (_where, text) => {
    const problems = refusals(text, { PRESENT: 'x' })
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.map(formatProblem).join('\n')).not.toContain(CANARY)
    expect(JSON.stringify(problems)).not.toContain(CANARY)
  })

  test('of the environment is in neither the config nor its plans', () => {
    const text = edit('split: checkout', 'split: checkout, token: "${env:TOKEN}"')
    const result = parseConfig(text, 'headgate.yaml', kinds, { TOKEN: CANARY })
    expect(result.ok).toBe(true)
    expect(JSON.stringify(result)).not.toContain(CANARY)
    expect(JSON.stringify(result)).toContain('${env:TOKEN}')
  })

  test('of the environment does not come out through a problem elsewhere', () => {
    const text = edit('split: checkout', 'split: checkout, token: "${env:TOKEN}", settle: "${env:TOKEN}"')
    const problems = refusals(text, { TOKEN: CANARY })
    expect(problems.map(({ code }) => code)).toEqual(['CONFIG_SECRET_MISPLACED'])
    expect(JSON.stringify(problems)).not.toContain(CANARY)
  })
})

function edit(from: string, to: string): string {
  if (!BASE.includes(from)) throw new Error(`no ${from} in the base`)
  return BASE.replace(from, () => to)
}

function refusals(text: string, env: NodeJS.ProcessEnv): readonly ProblemJson[] {
  const result = parseConfig(text, 'headgate.yaml', kinds, env)
  return result.ok ? [] : result.problems
}
