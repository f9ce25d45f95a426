import { writeFileSync } from 'node:fs'
import { debug } from './dashboards/debug.ts'
import { onCall } from './dashboards/on-call.ts'
import { overview } from './dashboards/overview.ts'

/** The files of `dashboards/`, by name. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  const made = { 'overview.json': overview(), 'on-call.json': onCall(), 'debug.json': debug() }
  return new Map(Object.entries(made).map(([name, one]) => [name, `${JSON.stringify(one.build(), null, 2)}\n`]))
}

if (import.meta.main)
  for (const [name, text] of dashboardFiles()) writeFileSync(new URL(`../dashboards/${name}`, import.meta.url), text)
