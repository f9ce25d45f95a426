import { readFileSync } from 'node:fs'
import { readPreset } from '../src/policy/presets.ts'
import type { PolicySettings } from '../src/policy/schema-policy.ts'
import { formatSeconds } from '../src/shared/schema.ts'

/** The text of `docs/policies.md`: the presets, whole, with a table of what their numbers add up to. */
export function policiesDoc(): string {
  const text = readFileSync(new URL('../src/policy/presets/standard.yaml', import.meta.url), 'utf8')
  const { settings } = readPreset('standard')
  return `# Policies

A policy says how a workload's weight rises, what stops it, and what brings it back. Many workloads share one. A config names
its policy with \`policy:\`, a workload may name another, and \`policies:\` defines own ones. An own policy takes what it does
not say from the one that it \`extends\`; without \`extends\` that is \`standard\`. Lists (\`steps\`, \`burnRate\`) are replaced
whole, \`probes\` and \`share\` key by key.

What was resolved is pinned into a rollout when it starts: an edit of the config changes no running rollout.

<!-- Written by scripts/write-schema.ts from src/policy/presets/. -->

## standard

${stepsTable(settings)}

${burnTable(settings)}

The file, with the reason of each number:

\`\`\`yaml
${text.trim()}
\`\`\`
`
}

function stepsTable({ steps = [] }: PolicySettings): string {
  let sum = 0
  const rows = steps.map(({ weight, hold }) => {
    const starts = sum
    sum += hold
    return `| ${weight}% | ${formatSeconds(hold)} | ${minutes(starts)} |`
  })
  return [
    '| weight | hold | earliest, after the start |',
    '| --- | --- | --- |',
    ...rows,
    `| end of the holds | | ${minutes(sum)} |`,
  ].join('\n')
}

/** How soon each pair can fire when NEW fails outright, and what has been spent by then. */
function burnTable({ burnRate = [] }: PolicySettings): string {
  const rows = burnRate.map(({ long, short, factor, then }) => {
    const spentPercent = (100 * factor * long) / (30 * 86_400)
    return `| ${formatSeconds(long)} and ${formatSeconds(short)} | ${factor} | ${then} | ${spentPercent.toFixed(2)} % |`
  })
  return [
    '| both windows | factor | then | spent of a 30-day budget by then |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function minutes(seconds: number): string {
  const hours = Math.floor(seconds / 3600)
  const rest = Math.round((seconds % 3600) / 60)
  return hours === 0 ? `${rest} min` : `${hours} h ${rest} min`
}
