import { cpSync } from 'node:fs'

// tsc copies no YAML: the presets must lie beside the compiled code that reads them.
const from = new URL('../src/policy/presets/', import.meta.url)
const to = new URL('../dist/src/policy/presets/', import.meta.url)
cpSync(from, to, { recursive: true })
