/** `{{name}}`, with or without blanks. */
const PLACE = /\{\{\s*([^{}]*?)\s*\}\}/g

/** The names in a template that are none of `names`, each once. */
export function unknownPlaces(template: string, names: readonly string[]): readonly string[] {
  const used = [...template.matchAll(PLACE)].map(([, name = '']) => name)
  return [...new Set(used)].filter((name) => !names.includes(name))
}

/** Puts values in their places. A value is text and nothing else: what looks like a place in it stays as it is. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(PLACE, (place, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : place,
  )
}

/** What a notification's title may name. */
export const TITLE_PLACES = ['severity', 'migration', 'workloads', 'what', 'count', 'leftOut'] as const

/** What the text of each event may name. */
export const ITEM_PLACES = [
  'severity',
  'migration',
  'workload',
  'time',
  'event',
  'actor',
  'runId',
  'what',
  'why',
  'did',
  'next',
  'links',
  'queries',
] as const
