import { parse } from 'yaml'

/** Value of a text that needs none of YAML's rarer means, such as most configs do; `null` for any other text. */
export type PlainYaml = { readonly value: unknown } | null

/**
 * Reads the part of YAML that a config of thousands of workloads is written in, a dozen times faster than the library does:
 * printable ASCII; maps with words as keys; lists of `- `; plain and quoted texts, `{…}` and `[…]`, each on one line; comments. No
 * anchors, tags, escapes, documents. It has no opinion of its own: what is not surely in that part, sound or not, is null and
 * for the library to read, and what a plain text stands for (`0x1f`, `~`, `25%`) the library says. That both read the same is
 * tested with random texts.
 */
export function readPlainYaml(text: string): PlainYaml {
  if (/[^\n\x20-\x7e]/.test(text)) return null
  try {
    return { value: new Reader(text.split('\n')).root() }
  } catch (error) {
    if (error instanceof NotPlain) return null
    throw error
  }
}

/** Ends a reading: the text is the library's. */
class NotPlain extends Error {}

/** An own key of a map, and what follows it on the line. */
const KEY = /([A-Za-z][\w./-]{0,99}):(?= |$)/y
const ITEM = /- +/y
const SINGLE_QUOTED = /'((?:[^']|'')*)'/y
const DOUBLE_QUOTED = /"([^"\\]*)"/y
/** Starts neither a mark of YAML nor of documents. */
const PLAIN_START = /[A-Za-z0-9_$(+/~]|\.{1,2}[\w/]|-[0-9]/y
const PLAIN_IN_FLOW = /[^,[\]{}]+/y
const SPACES = / */y
const NOTHING_MORE = / *$| +#/y

/** Deeper than any config. */
const MAX_DEPTH = 40

/** Longer texts that start with a letter are nothing but texts: `false` is the longest other word. */
const LONGEST_WORD = 5

class Reader {
  private readonly lines: readonly string[]
  /** The line that is next to be read, which has something on it; or the count of lines. */
  private row = -1
  private line = ''
  /** Where its content starts; -1 behind the last line. */
  private indent = -1
  /** Where in the line the reading is. */
  private at = 0
  private depth = 0
  private readonly meanings = new Map<string, unknown>()

  constructor(lines: readonly string[]) {
    this.lines = lines
    this.nextLine()
  }

  root(): unknown {
    if (this.indent !== 0) throw new NotPlain()
    const value = this.block()
    // A line that is nobody's: indented too little, or after the end.
    if (this.row < this.lines.length) throw new NotPlain()
    return value
  }

  /** The map or list whose first line is this one, up to the first line that is less indented. */
  private block(): unknown {
    return this.deeper(() => (this.sees(ITEM) ? this.list() : this.map()))
  }

  private map(): unknown {
    const indent = this.indent
    const entries: Record<string, unknown> = {}
    while (this.indent === indent && !this.sees(ITEM)) {
      const key = this.newKey(entries)
      entries[key] = this.sees(NOTHING_MORE) ? this.below(indent) : this.lastOfLine()
    }
    return this.ended(indent, entries)
  }

  private list(): unknown {
    const indent = this.indent
    const items: unknown[] = []
    while (this.indent === indent && this.sees(ITEM)) {
      this.take(ITEM)
      if (!this.sees(KEY)) items.push(this.lastOfLine())
      else {
        // `- name: x` is a map that is as indented as its first key.
        this.indent = this.at
        items.push(this.block())
      }
    }
    return this.ended(indent, items)
  }

  /** A line that is more indented goes on with a text, or is wrong. */
  private ended<T>(indent: number, value: T): T {
    if (this.indent > indent) throw new NotPlain()
    return value
  }

  /** What a key without a value on its line has: a block, or nothing. A list may be as indented as its key. */
  private below(indent: number): unknown {
    this.nextLine()
    if (this.indent > indent) return this.block()
    return this.indent === indent && this.sees(ITEM) ? this.deeper(() => this.list()) : null
  }

  private lastOfLine(): unknown {
    const value = this.value(false)
    if (!this.sees(NOTHING_MORE)) throw new NotPlain()
    this.nextLine()
    return value
  }

  private value(isInFlow: boolean): unknown {
    this.take(SPACES)
    switch (this.line[this.at]) {
      case '"':
        return this.take(DOUBLE_QUOTED)
      case "'":
        return this.take(SINGLE_QUOTED).replaceAll("''", "'")
      case '{':
        return this.deeper(() => this.flowMap())
      case '[':
        return this.deeper(() => this.flowList())
      default:
        return this.plain(isInFlow)
    }
  }

  private flowMap(): unknown {
    const entries: Record<string, unknown> = {}
    this.eachBetween('{', '}', () => {
      const key = this.newKey(entries)
      entries[key] = this.value(true)
    })
    return entries
  }

  private flowList(): unknown {
    const items: unknown[] = []
    this.eachBetween('[', ']', () => items.push(this.value(true)))
    return items
  }

  private eachBetween(open: string, close: string, read: () => void): void {
    this.expect(open)
    while (this.line[this.at] !== close) {
      read()
      this.take(SPACES)
      if (this.line[this.at] === close) break
      this.expect(',')
      // What an ending comma would mean, the library knows.
      if (this.line[this.at] === close) throw new NotPlain()
    }
    this.at += 1
  }

  private expect(character: string): void {
    if (this.line[this.at] !== character) throw new NotPlain()
    this.at += 1
    this.take(SPACES)
  }

  private plain(isInFlow: boolean): unknown {
    if (!this.sees(PLAIN_START)) throw new NotPlain()
    const text = isInFlow ? this.take(PLAIN_IN_FLOW).trimEnd() : this.restOfLine()
    if (text.includes(': ') || text.endsWith(':') || text.includes(' #')) throw new NotPlain()
    return this.meaningOf(text)
  }

  private restOfLine(): string {
    const start = this.at
    const comment = this.line.indexOf(' #', start)
    this.at = comment < 0 ? this.line.length : comment
    return this.line.slice(start, this.at).trimEnd()
  }

  private meaningOf(text: string): unknown {
    if (text.length > LONGEST_WORD && /^[A-Za-z]/.test(text)) return text
    if (!this.meanings.has(text)) this.meanings.set(text, parse(text))
    return this.meanings.get(text)
  }

  private newKey(entries: Readonly<Record<string, unknown>>): string {
    const key = this.take(KEY)
    if (Object.hasOwn(entries, key) || typeof this.meaningOf(key) !== 'string') throw new NotPlain()
    return key
  }

  private deeper<T>(read: () => T): T {
    this.depth += 1
    if (this.depth > MAX_DEPTH) throw new NotPlain()
    const value = read()
    this.depth -= 1
    return value
  }

  private sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    return pattern.test(this.line)
  }

  /** Takes what the pattern, which is sticky, finds here: what its group holds, or all. */
  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.line)
    if (!found) throw new NotPlain()
    this.at = pattern.lastIndex
    return found[1] ?? found[0]
  }

  private nextLine(): void {
    do {
      this.row += 1
      this.line = this.lines[this.row] ?? ''
      this.indent = this.line.search(/[^ ]/)
      this.at = Math.max(this.indent, 0)
    } while (this.row < this.lines.length && (this.indent < 0 || this.line[this.indent] === '#'))
  }
}
