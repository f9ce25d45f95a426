import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  type ParsedNode,
  parseAllDocuments,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import type { Path, Place } from './finding.ts'
import { offsetInSource } from './scalar-offset.ts'
import { readPlainYaml } from './yaml-plain.ts'
import { syntaxFindings } from './yaml-syntax.ts'

/** A YAML text: its value, or what is wrong with it, and where each part of it stands. */
export interface YamlText {
  /** Plain data; undefined when the text is no YAML. */
  readonly value: unknown
  /** Syntax problems: with any, the value means nothing. */
  readonly syntax: readonly SyntaxFinding[]
  /** Line and column, from 1, of what a finding points at. */
  locate(place: Place): { readonly line: number; readonly column: number }
  lineOf(offset: number): { readonly line: number; readonly column: number }
}

/** A syntax problem at an offset of the text, from 0. */
export interface SyntaxFinding {
  readonly code: 'CONFIG_SYNTAX' | 'CONFIG_DUPLICATE'
  readonly cause: string
  readonly hint?: string
  readonly offset: number
}

/** Aliases may stand for so many parts in all: an anchor that every workload uses is fine, a YAML bomb is not. */
const MAX_ALIASES = 20_000

/** Reads YAML 1.2 with anchors and merge keys (`<<`). */
export function readYaml(text: string): YamlText {
  const plain = readPlainYaml(text)
  if (!plain) return readWholeYaml(text)
  let whole: YamlText | null = null
  const places = () => {
    // Only for what is wrong with the value: nobody asks where the parts of a fine config stand.
    whole ??= readWholeYaml(text)
    return whole
  }
  return {
    value: plain.value,
    syntax: [],
    lineOf: (offset) => places().lineOf(offset),
    locate: (place) => places().locate(place),
  }
}

/** The same for any text, by the library, which takes far longer. */
export function readWholeYaml(text: string): YamlText {
  const lines = new LineCounter()
  return yamlText(parseDocument(text, { lineCounter: lines, ...READING }), text, lines)
}

/** Reads the documents of a text, which `---` keeps apart; those without anything in them are left out. */
export function readYamlDocuments(text: string): readonly YamlText[] {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: lines, ...READING })
  if (!Array.isArray(documents)) return []
  return documents
    .map((document) => yamlText(document, text, lines))
    .filter(({ value, syntax }) => syntax.length > 0 || (value !== null && value !== undefined))
}

const READING = { merge: true, prettyErrors: false, logLevel: 'error' } as const

function yamlText(document: Document.Parsed<ParsedNode>, text: string, lines: LineCounter): YamlText {
  const root = document.contents
  const lineOf = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const syntax = [...syntaxFindings(document, text), ...aliasFindings(document)]
  const value = syntax.length > 0 ? undefined : toValue(() => document.toJS({ maxAliasCount: MAX_ALIASES }))
  if (value instanceof Error) syntax.push({ code: 'CONFIG_SYNTAX', cause: value.message, offset: 0 })
  return {
    value,
    syntax,
    lineOf,
    locate: (place) => lineOf(root ? offsetOf(root, place, text, (alias) => resolved(alias)) : 0),
  }

  function resolved(node: Node): Node | null {
    return isAlias(node) ? (node.resolve(document) ?? null) : node
  }
}

function toValue(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    // The library's texts for these name no values of the config.
    return error instanceof Error ? error : new Error('the text cannot be read as plain data')
  }
}

function aliasFindings(document: Document.Parsed<ParsedNode>): SyntaxFinding[] {
  const found: SyntaxFinding[] = []
  visit(document, {
    Alias(_key, alias, ancestors) {
      const offset = alias.range?.[0] ?? 0
      const target = alias.resolve(document)
      if (!target)
        found.push({
          code: 'CONFIG_SYNTAX',
          cause: `no anchor &${alias.source} stands before this alias`,
          hint: `write &${alias.source} at the value to repeat, above; quote the text if no alias is meant`,
          offset,
        })
      else if (ancestors.includes(target))
        found.push({
          code: 'CONFIG_SYNTAX',
          cause: `*${alias.source} stands inside its own anchor`,
          hint: 'move the alias out of the anchored value',
          offset,
        })
    },
    Pair(_key, pair) {
      if (!isMerge(pair)) return
      const sources = isSeq(pair.value) ? pair.value.items : [pair.value]
      if (sources.every((source) => isMap(isAlias(source) ? source.resolve(document) : source))) return
      found.push({
        code: 'CONFIG_SYNTAX',
        cause: '`<<` takes a map, or a list of maps',
        hint: 'write `<<: *NAME`, where &NAME stands at a map',
        offset: isNode(pair.key) ? startOf(pair.key) : 0,
      })
    },
  })
  return found
}

type Resolve = (node: Node) => Node | null

/** The offset of the deepest part of the path that exists. */
function offsetOf(root: ParsedNode, place: Place, text: string, resolve: Resolve): number {
  let node: Node = root
  let key: Node | null = null
  for (const part of place.path) {
    const parent = resolve(node)
    const next = parent && childOf(parent, part, resolve)
    if (!next?.value) return next?.key?.range?.[0] ?? startOf(key ?? parent ?? node)
    node = next.value
    key = next.key
  }
  if (place.on === 'key') return startOf(key ?? node)
  const target = resolve(node) ?? node
  if (place.within !== undefined && isScalar(target)) return offsetInSource(target, place.within, text)
  return startOf(target)
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0
}

interface Child {
  readonly key: Node | null
  readonly value: Node | null
}

function childOf(parent: Node, part: Path[number], resolve: Resolve): Child | null {
  if (isSeq(parent)) {
    const item = typeof part === 'number' ? parent.items[part] : undefined
    return isNode(item) ? { key: null, value: item } : null
  }
  return isMap(parent) ? childOfMap(parent, String(part), resolve) : null
}

function childOfMap(map: YAMLMap, name: string, resolve: Resolve): Child | null {
  const own = map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === name)
  if (own) return { key: isNode(own.key) ? own.key : null, value: isNode(own.value) ? own.value : null }
  for (const pair of map.items.filter(isMerge)) {
    const sources = isSeq(pair.value) ? pair.value.items : [pair.value]
    for (const source of sources) {
      const target = isNode(source) ? resolve(source) : null
      const child = target && isMap(target) ? childOfMap(target, name, resolve) : null
      if (child) return child
    }
  }
  return null
}

// The library reads the key as a symbol of that name.
function isMerge(pair: Pair): boolean {
  return isScalar(pair.key) && typeof pair.key.value === 'symbol' && pair.key.value.description === '<<'
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value)
}
