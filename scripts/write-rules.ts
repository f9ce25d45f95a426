import { writeFileSync } from 'node:fs'
import { healthFile, RUNBOOKS } from '../src/rules/rules.ts'

/** The text of `rules/headgate.yaml`: the alerts on Headgate itself, which fit every config. */
export function healthRules(): string {
  return healthFile(RUNBOOKS).text
}

if (import.meta.main) writeFileSync(new URL('../rules/headgate.yaml', import.meta.url), healthRules())
