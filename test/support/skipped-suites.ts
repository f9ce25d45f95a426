import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A file to which each suite that skips itself adds a line: what it needs, and how to get it. */
    skippedSuitesPath: string
  }
}

/** Vitest's global setup: what was skipped, in any of its processes, is told at the very end, where people look. */
export default function collectSkippedSuites(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-skipped-'))
  const path = join(folder, 'suites.txt')
  writeFileSync(path, '')
  project.provide('skippedSuitesPath', path)
  return () => {
    const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean).sort()
    rmSync(folder, { recursive: true, force: true })
    if (lines.length === 0) return
    process.stdout.write(`Skipped, because something is not there:\n${lines.map((line) => `  ${line}\n`).join('')}`)
  }
}
