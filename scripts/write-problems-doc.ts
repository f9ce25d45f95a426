import { writeFileSync } from 'node:fs'
import { CATALOGUE } from '../src/core/catalogue.ts'

/** The text of `docs/problems.md`: every problem of the catalogue, in its order. */
export function problemsDoc(): string {
  const rows = Object.entries(CATALOGUE).map(
    ([code, { title, hint, status }]) => `| \`${code}\` | ${cell(title)} | ${cell(hint)} | ${status} |`,
  )
  return `# Problems

Every refusal and failure carries one of these codes, what is wrong in this very case, and a hint. A code keeps its meaning
for ever; one that is retired is never used again. \`status\` is the HTTP status where the API refuses with it.

<!-- Written by scripts/write-problems-doc.ts from src/core/catalogue.ts. -->

| code | what it means | what to do | status |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

if (import.meta.main) writeFileSync(new URL('../docs/problems.md', import.meta.url), problemsDoc())
