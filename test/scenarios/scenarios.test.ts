import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { World } from './world.ts'

// Each file is a transcript: `# text` explains, `> command` is run, and what follows it is what was printed.
// UPDATE=1 writes what is printed now; read it before you commit it.
const folder = new URL('./', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))

describe('transcripts of step', () => {
  test.each(files)('%s', (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8')
    const played = play(text)
    if (process.env['UPDATE'] === '1') writeFileSync(new URL(name, folder), played)
    expect(played).toBe(process.env['UPDATE'] === '1' ? played : text)
  })
})

function play(text: string): string {
  const world = new World()
  const kept = text.split('\n').filter((line) => line.startsWith('#') || line.startsWith('> ') || line === '')
  const lines = kept.flatMap((line) => {
    if (!line.startsWith('> ')) return [line]
    const printed = world.run(line.slice(2))
    return printed === '' ? [line] : [line, printed]
  })
  return `${lines.join('\n').trimEnd()}\n`
}
