import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const FOLDER = join(import.meta.dirname, '../../dashboards')

const target = z.looseObject({ expr: z.string() })
const schema = z.looseObject({
  uid: z.string(),
  tags: z.array(z.string()),
  templating: z.looseObject({ list: z.array(z.looseObject({ name: z.string(), query: z.unknown() })) }),
  annotations: z.looseObject({ list: z.array(z.looseObject({ name: z.string(), expr: z.string() })) }),
  panels: z.array(
    z.looseObject({
      type: z.string(),
      title: z.string(),
      description: z.string().optional(),
      targets: z.array(target).default([]),
    }),
  ),
})

export type CheckedIn = z.output<typeof schema>

/** What lies in `dashboards/`. */
export const DASHBOARDS: readonly { readonly name: string; readonly text: string; readonly dashboard: CheckedIn }[] =
  readdirSync(FOLDER)
    .sort()
    .map((name) => {
      const text = readFileSync(join(FOLDER, name), 'utf8')
      return { name, text, dashboard: schema.parse(JSON.parse(text)) }
    })

/** Every PromQL of a dashboard, and whose it is. */
export function exprsOf({
  panels,
  annotations,
}: CheckedIn): readonly { readonly title: string; readonly expr: string }[] {
  return [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr }))),
    ...annotations.list.map(({ name, expr }) => ({ title: `annotation ${name}`, expr })),
  ]
}
