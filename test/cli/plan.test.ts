import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Io } from '../../src/cli/io.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { type Ran, runHere } from '../support/cli.ts'

const CONFIG = `apiVersion: headgate/v1
migration: eks-1-33
clusters: { old: prod-a, new: prod-b }
calendar:
  timeZone: Europe/Vienna
  windows: [{ name: office, cron: "0 9 * * 1-5", for: 8h }]
fleet: { waves: [{ name: canaries, workloads: [catalog] }], concurrency: 1 }
providers: { route53: { region: eu-central-1 } }
sources: { prometheus: { url: http://prometheus:9090 } }
slis:
  availability: { objective: 99.9%, total: requests_total, bad: requests_failed_total }
policies:
  short:
    steps:
      - { weight: 50%, hold: 10m }
      - { weight: 100%, hold: 10m, approval: { roles: [leads] } }
    bake: 1h
    drain: 10m
policy: short
api: { tokens: [{ name: ann, role: operator, approves: [leads], token: "\${env:ANN}" }] }
workloads:
  - name: checkout
    traffic: { route53: { zone: Z0123456789, record: checkout.example.com, old: blue, new: green } }
  - name: catalog
    traffic: { http: { url: http://127.0.0.1:1, split: catalog } }
`

function here(argv: readonly string[], overrides: Partial<Io> = {}): Promise<Ran> {
  return runHere(argv, { env: { ANN: 'a-token' }, ...overrides })
}

function file(text = CONFIG): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-plan-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(path, text)
  return path
}

test('shows wave by wave when what would happen, with the writes, and by which numbers', async () => {
  const { code, out, err } = await here(['plan', file(), '--start', '2026-11-21T12:00'])
  expect([code, err]).toEqual([0, ''])
  for (const line of [
    'sweep 10 s; what has not answered within 5 s is missing',
    '1 workload at once; no breaker; no signals',
    'policy short: bake 1 h, drain 10 min, a revert goes to 0 %',
    'names have a TTL of 5 min now (--ttl)',
    'people approve at once',
  ])
    expect(out).toContain(`  ${line}\n`)
  expect(out.split('\n\n').slice(0, 4).join('\n\n')).toBe(`\
eks-1-33: prod-a → prod-b, at the earliest; times of Europe/Vienna
from Sat 2026-11-21 12:00; done Mon 2026-11-23 11:57, 1 d 23 h later

wave canaries: starts Mon 2026-11-23 09:00, has baked Mon 2026-11-23 10:20
  catalog  policy short
    start         Mon 2026-11-23 09:00  outside the windows: the next one opens Mon 2026-11-23 09:00 Europe/Vienna
    50 %          Mon 2026-11-23 09:00  in force after 10 s, held 10 min
    100 %         Mon 2026-11-23 09:10  in force after 10 s, held 10 min; needs one of leads
    bake          Mon 2026-11-23 09:20
    drain         Mon 2026-11-23 10:20
    end           Mon 2026-11-23 10:30

wave rest: starts Mon 2026-11-23 10:20, has baked Mon 2026-11-23 11:47
  checkout  policy short
    start         Mon 2026-11-23 10:20  wave canaries comes first: 0 of 1 workloads are done, not catalog
    TTLs out      Mon 2026-11-23 10:25
    50 %          Mon 2026-11-23 10:25  in force after 40 s, held 10 min
    100 %         Mon 2026-11-23 10:36  in force after 40 s, held 10 min; needs one of leads
    bake          Mon 2026-11-23 10:47
    drain         Mon 2026-11-23 11:47
    end           Mon 2026-11-23 11:57

writes
  http: 2 writes, at most 1 within a minute (Mon 2026-11-23 09:00), no quota is known
  route53: 4 writes, at most 1 within a minute (Mon 2026-11-23 10:20), of 325 that steps may make, 0.31 %`)
})

test('gives machines the forecast, the plans and the fleet', async () => {
  const clock = createFakeClock(Date.parse('2026-11-23T08:00Z'))
  const { code, out } = await here(['plan', file(), '--json', '--ttl', '60'], { clock })
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({
    ok: true,
    sweepSeconds: 10,
    assumed: { ttlSeconds: 60 },
    migrations: [
      {
        migration: 'eks-1-33',
        timeZone: 'Europe/Vienna',
        startMs: Date.parse('2026-11-23T08:00Z'),
        waves: [
          { name: 'canaries', workloads: [{ workload: 'catalog', startsAtMs: Date.parse('2026-11-23T08:00Z') }] },
          { name: 'rest', workloads: [{ workload: 'checkout', policy: 'short' }] },
        ],
        accounts: [{ kind: 'http', minuteLimit: null }, { kind: 'route53' }],
        plans: [{ workload: 'checkout' }, { workload: 'catalog' }],
        fleet: { concurrency: 1 },
      },
    ],
  })
})

test.each([
  ['2026-11-23T08:00', '2026-11-23T07:00Z'],
  ['2026-11-23T08:00Z', '2026-11-23T08:00Z'],
  ['2026-11-23', '2026-11-22T23:00Z'],
])("starts at %s, in the calendar's zone unless it says another", async (start, instant) => {
  const { out } = await here(['plan', file(), '--json', '--start', start])
  expect(JSON.parse(out)).toMatchObject({ migrations: [{ startMs: Date.parse(instant) }] })
})

test('a start that is no time is a mistake in usage', async () => {
  expect(await here(['plan', file(), '--start', 'tomorrow'])).toEqual({
    code: 2,
    out: '',
    err: 'CLI_USAGE: --start tomorrow is no time (write for example 2026-11-23T08:00, with Z or +01:00 if it is of another zone)\n',
  })
})

test('a config that is none is told as `validate` tells it', async () => {
  const path = file('apiVersion: headgate/v1\n')
  const [planned, validated] = [await here(['plan', path]), await here(['validate', path])]
  expect(planned).toEqual(validated)
  expect(planned.code).toBe(2)
})
