import { writeFileSync } from 'node:fs'
import { channelKinds } from '../src/notify/registry.ts'
import { configShape } from '../src/policy/shape.ts'
import { sourceKinds } from '../src/sources/registry.ts'
import { trafficKinds } from '../src/traffic/registry.ts'
import { configDoc } from './config-doc.ts'
import { policiesDoc } from './policies-doc.ts'

const shape = configShape({ traffic: trafficKinds, sources: sourceKinds, channels: channelKinds })

/** What `npm run schema` writes, by path from the repository's root. */
export const GENERATED: Readonly<Record<string, string>> = {
  'schema/headgate.schema.json': `${JSON.stringify(shape, null, 2)}\n`,
  'docs/config.md': configDoc(shape),
  'docs/policies.md': policiesDoc(),
}

if (import.meta.main)
  for (const [path, text] of Object.entries(GENERATED)) writeFileSync(new URL(`../${path}`, import.meta.url), text)
