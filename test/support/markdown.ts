import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export interface Page {
  /** From the root, e.g. `docs/cli.md`. */
  readonly path: string
  readonly text: string
}

export interface CodeBlock {
  readonly path: string
  /** Line of the opening fence, from 1. */
  readonly line: number
  readonly language: string
  readonly text: string
}

/** Every Markdown page of the project. */
export const PAGES: readonly Page[] = globSync('{*.md,docs/**/*.md,examples/**/*.md}', { cwd: ROOT })
  .sort()
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))

/** The page at `path`; throws where there is none. */
export function pageAt(path: string): Page {
  const page = PAGES.find((one) => one.path === path)
  if (!page) throw new Error(`no page ${path}`)
  return page
}

/** The fenced blocks of a page, in order. */
export function codeBlocks({ path, text }: Page): readonly CodeBlock[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(({ index, 1: language = '', 2: body = '' }) => ({
    path,
    line: text.slice(0, index).split('\n').length,
    language,
    text: body,
  }))
}

/** The page without its fenced blocks. */
export function proseOf({ text }: Page): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '')
}

/** What stands between backticks in the prose. */
export function codeSpans(page: Page): readonly string[] {
  return [...proseOf(page).matchAll(/(?<!\\)`([^`\n]+)`/g)].map((match) => match[1] ?? '')
}
