import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { recordedRun, storeRun } from '../report/recorded.ts'
import { runHere } from '../support/cli.ts'

const DOCS = new URL('../../docs/', import.meta.url)

// UPDATE=1 writes the example as it is made now.
test.each(['report-example.md', 'report-example.svg'])(
  'docs/%s is what `headgate report` makes of a recorded run',
  async (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-report-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const run = recordedRun()
    const store = join(folder, 'headgate.db')
    await storeRun(store, run)
    const config = join(folder, 'config.yaml')
    const minimal = readFileSync(new URL('../examples/minimal.yaml', DOCS), 'utf8')
    const costs = 'costs: { currency: EUR, oldPerHour: 12.5, newPerHour: 14 }'
    writeFileSync(config, `${minimal.replace(/^migration:.*$/m, 'migration: m')}\n${costs}\n`)
    const out = join(folder, 'report-example.md')
    const ran = await runHere(['report', '--store', store, '-c', config, '--out', out], {
      clock: createFakeClock(run.madeAtMs),
    })
    expect(ran).toMatchObject({ code: 0, err: '' })
    const made = readFileSync(join(folder, name), 'utf8')
    if (process.env['UPDATE'] === '1') writeFileSync(new URL(name, DOCS), made)
    expect(readFileSync(new URL(name, DOCS), 'utf8')).toBe(made)
  },
)
