import type { Tick } from '../../ports/source.ts'

/** What may stand for the time in a template and in a query; `$query` stands for the query itself, in a template alone. */
const TIMES: Readonly<Record<string, (span: Tick) => string>> = {
  fromMs: ({ sinceMs }) => String(Math.round(sinceMs)),
  toMs: ({ atMs }) => String(Math.round(atMs)),
  fromSeconds: ({ sinceMs }) => String(sinceMs / 1000),
  toSeconds: ({ atMs }) => String(atMs / 1000),
  fromIso: ({ sinceMs }) => new Date(sinceMs).toISOString(),
  toIso: ({ atMs }) => new Date(atMs).toISOString(),
  windowSeconds: ({ sinceMs, atMs }) => String((atMs - sinceMs) / 1000),
}

const NAMES = Object.keys(TIMES).join('|')
const TIME = new RegExp(`\\$(${NAMES})\\b`, 'g')
const ANY = new RegExp(`\\$(query|${NAMES})\\b`, 'g')

/** Whether a text has the query in it. */
export function hasQuery(template: string): boolean {
  return /\$query\b/.test(template)
}

/** Whether a text says anything about the time. */
export function hasTime(text: string): boolean {
  return text.search(TIME) >= 0
}

/** Fills a template; what is put in is written so that it cannot end the place it stands in. */
export function fill(template: string, query: string, span: Tick, write: (value: string) => string): string {
  const asked = query.replaceAll(TIME, (_, name: string) => TIMES[name]?.(span) ?? '')
  return template.replaceAll(ANY, (_, name: string) => write(name === 'query' ? asked : (TIMES[name]?.(span) ?? '')))
}

/** Within a text of a JSON document. */
export function inJson(value: string): string {
  return JSON.stringify(value).slice(1, -1)
}
