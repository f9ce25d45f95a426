import { readFileSync } from 'node:fs'
import { marginFor } from '../src/core/gates/proof.ts'
import { NO_PROOF, proofOf, prove } from '../src/core/gates/proof-test.ts'
import type { ProofGate } from '../src/core/plan.ts'
import { type ResolvedPolicy, resolvePolicies } from '../src/policy/policies.ts'
import { PRESETS, type PresetName } from '../src/policy/presets.ts'
import { formatSeconds } from '../src/shared/schema.ts'

/** What the proofs' sizes are shown for. */
const OBJECTIVE_PERCENT = 99.9

const CHOICES: Readonly<Record<PresetName, string>> = {
  cautious: `Choose it for what must not fail, not even for a minute: payments, logins, what all others call. It takes most of a
working day, allows half of what \`standard\` does, and needs more traffic to be proven. Little traffic alone is no reason
for it: it only waits longer.`,
  standard: `Choose it, or rather choose nothing, for a service with steady traffic and an SLO of about 99.9 %: it is what holds where a
config names no policy.`,
  fast: `Choose it for what may fail for a moment and has much traffic: stateless services, staging, the last workloads of a
migration whose first ones went well. It finds clear harm as soon as \`standard\` does; what it gives up is finding little
harm, and the days that only a long bake sees.`,
}

/** The text of `docs/policies.md`: the presets, whole, with tables of what their numbers add up to. */
export function policiesDoc(): string {
  const { byName } = resolvePolicies({})
  const presets = PRESETS.map((name) => {
    const policy = byName.get(name)
    if (!policy) throw new Error(`the preset ${name} was not resolved`)
    return { name, policy }
  })
  return `${HEAD}
${comparison(presets)}

${HOW_TO}
${presets.map(({ name, policy }) => section(name, policy)).join('\n')}`
}

const HEAD = `# Policies

A policy says how a workload's weight rises, what stops it, and what brings it back. Many workloads share one. A config names
its policy with \`policy:\`, a workload may name another, and \`policies:\` defines own ones. An own policy takes what it does
not say from the one that it \`extends\`; without \`extends\` that is \`standard\`. Lists (\`steps\`, \`hooks\`, \`burnRate\`) are replaced
whole, maps (\`evidence\`, \`proof\`, \`budget\`, \`probes\`, \`share\`) key by key, at any depth.

What was resolved is pinned into a rollout when it starts: an edit of the config changes no running rollout.
[evidence.md](evidence.md) tells what the tests behind \`evidence\`, \`proof\` and \`budget\` do.

<!-- Written by scripts/write-schema.ts from src/policy/presets/. -->

## Which one

Three presets ship with Headgate. All of them hold at 99 % before 100 %: with little OLD left the relative tests go blind, and
at 100 % there is nothing left to compare with.
`

const HOW_TO = `To change a number, say that number alone:

\`\`\`yaml
policy: shop
policies:
  shop:
    extends: cautious
    bake: 24h
    evidence: { halt: { plusBudgets: 0.5 } }
    proof: { lowTraffic: { after: 1h, then: person } }
\`\`\`

- A *budget* in \`plusBudgets\` is the share of requests that may fail, 1 − objective: at 99.9 % one budget is 0.1 % of the requests.
- \`falseAlarms\` is the share of healthy rollouts that the tests may stop at all, however long a rollout takes and however often
  it is looked at. A workload's tests share it: with two error ratios and a probe each gets a third, so that more SLIs are
  no more alarms. An SLI of latencies has two tests.
- \`proof\` is asked for before each raise. The smaller the next weight is, the more NEW may have, since it can spoil less there.
- \`budget\` is a ledger over the whole rollout: what NEW failed beyond what OLD would have failed, of 30 days' error budget.
- An SLI's \`worst: halt\` turns each revert on its account into a halt, as it is the default for latencies.
- A halt may ask for no more harm than a revert, and a revert may be wrong no more often than a halt: \`headgate validate\` says so.
`

function section(name: PresetName, policy: ResolvedPolicy): string {
  const text = readFileSync(new URL(`../src/policy/presets/${name}.yaml`, import.meta.url), 'utf8')
  return `## ${name}

${CHOICES[name]}

${stepsTable(policy)}

${burnTable(policy)}

The file, with the reason of each number:

\`\`\`yaml
${text.trim()}
\`\`\`
`
}

function comparison(presets: readonly { readonly name: PresetName; readonly policy: ResolvedPolicy }[]): string {
  const line = (what: string, read: (policy: ResolvedPolicy) => string) =>
    `| ${what} | ${presets.map(({ policy }) => read(policy)).join(' | ')} |`
  return [
    `| | ${presets.map(({ name }) => `[\`${name}\`](#${name})`).join(' | ')} |`,
    `| --- |${' --- |'.repeat(presets.length)}`,
    line('weights', ({ steps }) => steps.map(({ weightPercent }) => weightPercent).join(', ')),
    line('holds together', ({ steps }) => clock(steps.reduce((sum, { holdSeconds }) => sum + holdSeconds, 0))),
    line('held at 99 %', ({ steps }) => clock(steps.find((step) => step.weightPercent === 99)?.holdSeconds ?? 0)),
    line('bake', ({ bakeSeconds }) => formatSeconds(bakeSeconds)),
    line("revert beyond OLD's rate", ({ evidence }) => limit(evidence.revert)),
    line("halt beyond OLD's rate", ({ evidence }) => limit(evidence.halt)),
    line('halt whatever OLD does, beyond', ({ evidence }) => `${evidence.absolute.plusBudgets} budgets`),
    line('false alarms of these three, at most', ({ evidence: { revert, halt, absolute } }) =>
      [revert, halt, absolute].map(({ alpha }) => percent(alpha)).join(', '),
    ),
    line('slower requests, in points', ({ evidence }) => percent(evidence.latencyMargin)),
    line('a NEW that is not good enough passes a weight', ({ evidence }) => `1 time in ${evidence.proof.need} at most`),
    line('too little traffic to prove it', ({ evidence: { proof } }) => lowTraffic(proof.lowTraffic)),
    line(
      "of the month's error budget: halt, revert",
      ({ evidence: { budget } }) => `${budget.haltPercent} %, ${budget.revertPercent} %`,
    ),
  ].join('\n')
}

function limit({ timesOld, plusBudgets }: ResolvedPolicy['evidence']['halt']): string {
  return `× ${timesOld} + ${plusBudgets} ${plusBudgets === 1 ? 'budget' : 'budgets'}`
}

function lowTraffic({ afterSeconds, then }: ResolvedPolicy['evidence']['proof']['lowTraffic']): string {
  if (then === 'wait') return 'waits'
  const what = then === 'person' ? 'a person decides' : 'the probes count'
  return `${what} after ${formatSeconds(afterSeconds)}`
}

/** When each step comes at the earliest, and how many requests on NEW it takes to prove the next one. */
function stepsTable({ steps, evidence: { proof, bursts } }: ResolvedPolicy): string {
  const gate: ProofGate = {
    kind: 'proof',
    id: 'proof/availability',
    sli: 'availability',
    ratio: proof.timesOld,
    margin: proof.plusBudgets * (1 - OBJECTIVE_PERCENT / 100),
    need: proof.need,
    lowTraffic: proof.lowTraffic,
    dispersion: bursts,
  }
  let sum = 0
  const rows = steps.map(({ weightPercent, holdSeconds }, index) => {
    const starts = sum
    sum += holdSeconds
    const raise = { nowPercent: weightPercent, nextPercent: steps[index + 1]?.weightPercent ?? 100 }
    const requests = requestsToProve(gate, marginFor(gate, raise))
    return `| ${weightPercent}% | ${formatSeconds(holdSeconds)} | ${clock(starts)} | ${requests.toLocaleString('en')} |`
  })
  return [
    `| weight | hold | earliest, after the start | requests on NEW, none failed, that prove the next at ${OBJECTIVE_PERCENT} % |`,
    '| --- | --- | --- | --- |',
    ...rows,
    `| end of the holds | | ${clock(sum)} | |`,
  ].join('\n')
}

/** Of requests that come one by one, with an OLD that fails none either; two digits. */
function requestsToProve({ ratio, need }: ProofGate, margin: number): number {
  const isProven = (total: number) => {
    const counts = { new: { total, bad: 0 }, old: { total: 0, bad: 0 } }
    return proofOf(prove(NO_PROOF, { ratio, margin }, counts, 1)) >= need
  }
  let most = 1
  while (!isProven(most)) most *= 2
  let least = most / 2
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2)
    if (isProven(middle)) most = middle
    else least = middle
  }
  return Number(most.toPrecision(2))
}

/** How soon each pair can fire when NEW fails outright, and what has been spent by then. */
function burnTable({ burnRate }: ResolvedPolicy): string {
  const rows = burnRate.map(({ longSeconds, shortSeconds, factor, then }) => {
    const spentPercent = (100 * factor * longSeconds) / (30 * 86_400)
    const windows = `${formatSeconds(longSeconds)} and ${formatSeconds(shortSeconds)}`
    return `| ${windows} | ${factor} | ${then} | ${spentPercent.toFixed(2)} % |`
  })
  return [
    '| both windows | factor | then | spent of a 30-day budget by then |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(6))} %`
}

function clock(seconds: number): string {
  const hours = Math.floor(seconds / 3600)
  const rest = Math.round((seconds % 3600) / 60)
  return hours === 0 ? `${rest} min` : `${hours} h ${rest} min`
}
