/** `npm run sim -- --seeds N [--from S] [--json]`: simulates so many seeds; the exit code is 1 where an invariant broke. */
import { parseArgs } from 'node:util'
import { INVARIANTS } from '../src/simulate/invariants.ts'
import { type Outcome, simulate } from '../src/simulate/simulation.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const [from, seeds] = [wholeOf('from', values.from), wholeOf('seeds', values.seeds)]

const failures: Outcome[] = []
const sums = { sweeps: 0, events: 0 }
for (let seed = from; seed < from + seeds; seed++) {
  const outcome = await simulate(seed)
  sums.sweeps += outcome.sweeps
  sums.events += outcome.events
  if (outcome.violations.length === 0) continue
  failures.push(outcome)
  if (!values.json) process.stdout.write(textOf(outcome))
}

const summary = { from, seeds, ...sums, failed: failures.map(({ seed }) => seed) }
const words = `seeds ${from} to ${from + seeds - 1}: ${sums.sweeps} sweeps, ${sums.events} events, ${failures.length} failed`
process.stdout.write(values.json ? `${JSON.stringify({ ...summary, failures })}\n` : `${words}\n`)
process.exitCode = failures.length > 0 ? 1 : 0

function textOf({ seed, options, violations, trace }: Outcome): string {
  const broken = violations.map(
    ({ invariant, detail, atSeconds }) => `  +${atSeconds}s ${invariant}: ${INVARIANTS[invariant]}\n    ${detail}`,
  )
  const lines = [
    `seed ${seed} ${JSON.stringify(options)}`,
    ...broken,
    '  before that:',
    ...trace.map((line) => `    ${line}`),
  ]
  return `${lines.join('\n')}\n\n`
}

function wholeOf(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  process.stderr.write(`--${name} wants a whole number, not ${text}\n`)
  process.exit(2)
}
