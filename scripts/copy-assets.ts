import { cpSync } from 'node:fs'

// tsc copies no YAML, and it must lie beside the compiled code that reads it: the presets, and the demo's config.
for (const path of ['src/policy/presets', 'examples/demo/headgate.yaml'])
  cpSync(new URL(`../${path}`, import.meta.url), new URL(`../dist/${path}`, import.meta.url), { recursive: true })
