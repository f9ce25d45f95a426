import { expect, test } from 'vitest'
import { changesOf } from '../../src/policy/changes.ts'
import type { Config } from '../../src/policy/config.ts'
import { parseConfigs } from '../../src/policy/parse.ts'
import { kinds } from '../policies/kinds.ts'

const workload = (name: string, extra = '') =>
  `  - { name: ${name}, traffic: { proxy: { socket: /run/proxy.sock, backend: ${name} } }${extra} }\n`
const file = (migration: string, workloads: string, more = '') => ({
  file: `${migration}.yaml`,
  text: `apiVersion: headgate/v1
migration: ${migration}
clusters: { old: ${migration}-old, new: ${migration}-new }
slis: { availability: { objective: 99%, total: requests_total, bad: 'requests_total{code="500"}' } }
workloads:
${workloads}${more}`,
})
const SERVICE = {
  file: 'service.yaml',
  text: 'apiVersion: headgate/v1\nsources: { metrics: { url: "http://p:9090" } }\n',
}

function configOf(...files: readonly { file: string; text: string }[]): Config {
  const result = parseConfigs([SERVICE, ...files], kinds, { TOKEN: 'x' }, () => ({ why: 'ENOENT' }))
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.config
}

const BEFORE = configOf(file('eks', workload('cart') + workload('shop')), file('payments', workload('ledger')))

test.each<[string, Config, string[]]>([
  ['the same', BEFORE, []],
  [
    'a workload that comes, one that goes, one that is other',
    configOf(
      file(
        'eks',
        workload('cart', ', team: checkout') +
          workload('search') +
          workload('shop', ', boomerang: {}').replace(', boomerang: {}', ''),
      ),
      file('payments', workload('books')),
    ),
    [
      'changed setting teams of eks',
      'added workload search of eks',
      'added workload books of payments',
      'removed workload ledger of payments',
    ],
  ],
  [
    'another policy of one',
    configOf(file('eks', workload('cart', ', policy: fast') + workload('shop')), file('payments', workload('ledger'))),
    ['changed workload cart of eks'],
  ],
  [
    'a migration that goes',
    configOf(file('eks', workload('cart') + workload('shop'))),
    ['removed migration payments', 'removed workload ledger of payments'],
  ],
  [
    'a migration that comes, and settings of the service',
    configOf(
      file('eks', workload('cart') + workload('shop')),
      file(
        'payments',
        workload('ledger'),
        'api: { tokens: [{ name: ada, role: viewer, token: "${env:TOKEN}" }], limits: { reads: 7 } }\n',
      ),
      file('search', workload('index')),
    ),
    [
      'changed setting api.limits',
      'changed setting api.tokens',
      'added migration search',
      'added workload index of search',
    ],
  ],
])('%s', (_, next, want) => {
  const told = changesOf(BEFORE, next).map(
    ({ change, what, name, migration }) => `${change} ${what} ${name}${migration === null ? '' : ` of ${migration}`}`,
  )
  expect(told.sort()).toEqual([...want].sort())
})
