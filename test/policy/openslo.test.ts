import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { stringify } from 'yaml'
import { loadConfig } from '../../src/config.ts'
import { counterOfQuery } from '../../src/policy/openslo-query.ts'
import { parseConfig } from '../../src/policy/parse.ts'
import { type Selector, selectorText } from '../../src/shared/promql/selector.ts'
import { kinds } from '../policies/kinds.ts'

const CONFIG = `apiVersion: headgate/v1
migration: m
clusters: { old: a, new: b }
sources: { metrics: { url: http://prometheus:9090 } }
slis: { availability: { openslo: { file: slos/checkout.yaml } } }
workloads: [{ name: checkout, traffic: { proxy: { socket: /run/proxy.sock, backend: be } } }]
`

const source = (query: string) => ({ metricSource: { type: 'Prometheus', spec: { query } } })
const slo = (ratioMetric: object) => ({
  apiVersion: 'openslo/v1',
  kind: 'SLO',
  metadata: { name: 'checkout' },
  spec: { indicator: { spec: { ratioMetric } }, objectives: [{ target: 0.999 }] },
})

function parse(text: string) {
  return parseConfig(CONFIG, 'conf/headgate.yaml', kinds, {}, () => ({ text }))
}

describe('the counter of a query', () => {
  const name = fc.stringMatching(/^[a-z][a-z_]{0,8}$/)
  const matcher = fc.record({
    label: fc.stringMatching(/^x[a-z]{0,5}$/),
    op: fc.constantFrom('=', '!=', '=~', '!~'),
    value: fc.string({ maxLength: 8 }),
  })
  const selector: fc.Arbitrary<Selector> = fc.record({
    metric: name.map((one) => `m_${one}`),
    matchers: fc.array(matcher, { maxLength: 3 }),
  })
  const range = fc.constantFrom('5m', '30d', '{{.window}}', '{{ .window }}', '$__range', '$window', `\${WINDOW}`)

  test('is found whatever a tool draws around it', () => {
    const call = fc.constantFrom('rate', 'increase', 'irate', null)
    const around = fc.array(
      fc.constantFrom<(query: string) => string>(
        (query) => `(${query})`,
        (query) => `sum(${query})`,
        (query) => `sum by (cluster) (${query})`,
        (query) => `sum (${query}) without (pod)`,
        (query) => `(${query} or vector(0))`,
        (query) => `(${query} OR on() vector( 0 ))`,
      ),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(selector, call, range, around, (counter, called, over, wrappers) => {
        const text = selectorText(counter)
        const core = called === null ? text : `${called}(${text}[${over}])`
        const found = counterOfQuery(wrappers.reduce((query, wrap) => wrap(query), core))
        expect(found).toEqual({ counter, call: called === 'irate' ? 'rate' : called })
      }),
    )
  })

  test('is found, or refused at a place within the query, and nothing throws', () => {
    const parts = fc.array(
      fc.constantFrom('sum', 'rate', '(', ')', '[5m]', 'x_total', '{a="b"}', ' or ', 'vector(0)', '+', '1', '@', '"'),
      { maxLength: 10 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          parts.map((some) => some.join('')),
        ),
        (query) => {
          const found = counterOfQuery(query)
          if (!('cause' in found)) return
          expect(found.offset).toBeGreaterThanOrEqual(0)
          expect(found.offset).toBeLessThanOrEqual(query.length)
        },
      ),
    )
  })
})

describe('an OpenSLO file', () => {
  test('whatever is in it, is taken or refused at a place that is there', () => {
    const ratio = slo({ counter: true, bad: source('bad_total'), total: source('all_total') })
    const keys = [
      'apiVersion',
      'kind',
      'metadata',
      'spec',
      'indicator',
      'ratioMetric',
      'objectives',
      'target',
      'bad',
      'total',
    ]
    const spoilt = fc
      .tuple(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 1 }))
      .map(([key, value]) => JSON.stringify(ratio, (at, old: unknown) => (at === key ? value : old)))
    const text = fc.oneof(
      spoilt,
      fc.string({ unit: 'binary' }),
      fc.array(spoilt).map((all) => all.join('\n---\n')),
    )
    fc.assert(
      fc.property(text, (content) => {
        const result = parse(content)
        if (result.ok) return
        expect(result.problems.length).toBeGreaterThan(0)
        for (const { at } of result.problems) {
          const lines = (at?.file === 'conf/headgate.yaml' ? CONFIG : content).split('\n')
          expect(['conf/headgate.yaml', 'conf/slos/checkout.yaml']).toContain(at?.file)
          expect(at?.line).toBeGreaterThanOrEqual(1)
          expect(at?.line).toBeLessThanOrEqual(lines.length)
        }
      }),
    )
  })

  test('counts as bad what its good ones leave over, for any label that tells them apart', () => {
    const ops = { '=': '!=', '!=': '=', '=~': '!~', '!~': '=~' } as const
    fc.assert(
      fc.property(fc.constantFrom('=', '!=', '=~', '!~'), fc.stringMatching(/^[a-z0-9.]{1,6}$/), (op, value) => {
        const good = selectorText({ metric: 'all_total', matchers: [{ label: 'code', op, value }] })
        const text = stringify(
          slo({ good: source(`sum(rate(${good}[5m]))`), total: source('sum(rate(all_total[5m]))') }),
        )
        const result = parse(text)
        const sli = result.ok ? result.config.migrations[0].plans[0]?.slis[0] : null
        const bad = selectorText({ metric: 'all_total', matchers: [{ label: 'code', op: ops[op], value }] })
        expect(sli?.measure).toEqual({ kind: 'selector', total: 'all_total', bad })
      }),
    )
  })

  test('is a part of the config: its text is in the hash, and an edit of it is seen', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-openslo-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    mkdirSync(join(folder, 'slos'))
    const [config, file] = [join(folder, 'headgate.yaml'), join(folder, 'slos/checkout.yaml')]
    writeFileSync(config, CONFIG)
    const text = stringify(slo({ counter: true, bad: source('bad_total'), total: source('all_total') }))
    writeFileSync(file, text)
    const before = await loadConfig(config, kinds, {})
    writeFileSync(file, text.replace('0.999', '0.99'))
    const after = await loadConfig(config, kinds, {})
    if (!before.ok || !after.ok) throw new Error('it is refused')
    expect(before.named).toEqual([file])
    expect(after.config.hash).not.toBe(before.config.hash)
    const objectives = [before, after].map(({ config: one }) => one.migrations[0].plans[0]?.slis[0]?.objectivePercent)
    expect(objectives).toEqual([99.9, 99])
    writeFileSync(file, text.replace('kind: SLO', 'kind: SLI'))
    const refused = await loadConfig(config, kinds, {})
    expect(refused).toMatchObject({ ok: false, named: [file], problems: [{ code: 'CONFIG_NOT_FOUND' }] })
  })
})
