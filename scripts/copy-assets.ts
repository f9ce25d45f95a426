import { chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const out = process.argv[2] ?? join(root, 'dist')

// tsc copies no YAML, and it must lie beside the compiled code that reads it: the presets, and the demo's config.
for (const path of ['src/policy/presets', 'examples/demo/headgate.yaml'])
  cpSync(join(root, path), join(out, path), { recursive: true })

// npm sets this bit when it links a package's command for the first time, and not after a rebuild.
chmodSync(join(out, 'src/main.js'), 0o755)
