import { visible } from './words.ts'

/** Markup that this room has written itself: all text of others inside is escaped. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | Markup | readonly Markup[]

/** A template of HTML or SVG: whatever is put in, and is no markup itself, is escaped, in texts and in quoted attributes. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const texts = parts.map((part) => {
    if (typeof part === 'string' || typeof part === 'number') return escapeMarkup(String(part))
    return part instanceof Markup ? part.text : part.map(({ text }) => text).join('')
  })
  return new Markup(strings.map((text, index) => `${text}${texts[index] ?? ''}`).join(''))
}

export const NOTHING = new Markup('')

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeMarkup(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
