import { type Document, type ErrorCode, type ParsedNode, visit, type YAMLError } from 'yaml'
import type { SyntaxFinding } from './yaml.ts'

/** Own words for the library's error codes: its messages may repeat the text around the error, a secret maybe. */
const SENTENCES: Readonly<Partial<Record<ErrorCode, readonly [cause: string, hint: string]>>> = {
  ALIAS_PROPS: ['an alias cannot have an anchor or a tag', 'remove what stands before the `*`'],
  BAD_ALIAS: ['not a valid anchor or alias name', 'write `&name` and `*name`; quote the text if it is neither'],
  BAD_DIRECTIVE: ['an unknown `%` directive', 'remove the line; quote the text if it is a value'],
  BAD_DQ_ESCAPE: ['an unknown escape in a double-quoted text', "double the backslash, or use 'single quotes'"],
  BAD_INDENT: ['the indentation does not fit the lines around', 'indent with spaces, siblings by the same number'],
  BAD_PROP_ORDER: ['an anchor or tag at the wrong place', 'write it right before the value'],
  BAD_SCALAR_START: ['a text cannot start with this character', 'quote the text'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a second `key:` on the line of the first',
    'start a new line, or quote a text that has `: `',
  ],
  BLOCK_IN_FLOW: ['a block inside of {…} or […]', 'write {…} and […] with commas, without `- ` and new keys by line'],
  KEY_OVER_1024_CHARS: ['a key of more than 1,024 characters', 'shorten it'],
  MISSING_CHAR: ['a bracket or comma is missing', 'close what was opened, and put commas between'],
  MULTILINE_IMPLICIT_KEY: ['a line without a `key: value`', 'write a space after the colon, and a key on each line'],
  MULTIPLE_ANCHORS: ['two anchors at one value', 'keep one'],
  MULTIPLE_DOCS: ['a second YAML document starts here', 'keep one config a file: remove the `---` and what follows'],
  MULTIPLE_TAGS: ['two tags at one value', 'remove them'],
  TAB_AS_INDENT: ['a tab in the indentation', 'indent with spaces'],
  TAG_RESOLVE_FAILED: ['an unknown tag (`!…`)', 'remove it; quote the text if it starts with `!`'],
}

const UNEXPECTED = ['something that YAML does not expect here', 'check this line and the one above'] as const

/** Duplicate keys, each; of the other errors the first, since what follows it is mostly its echo. */
export function syntaxFindings(document: Document.Parsed<ParsedNode>, text: string): SyntaxFinding[] {
  const errors: readonly YAMLError[] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0])
  const duplicates = errors.filter((error) => error.code === 'DUPLICATE_KEY')
  const first = errors.find((error) => error.code !== 'DUPLICATE_KEY')
  return [
    ...(first ? [describe(first, document, text)] : []),
    ...duplicates.map((error) => describeDuplicate(error, text)),
  ]
}

function describe(error: YAMLError, document: Document.Parsed<ParsedNode>, text: string): SyntaxFinding {
  const offset = error.pos[0]
  const finding = (cause: string, hint: string, at = offset): SyntaxFinding => {
    return { code: 'CONFIG_SYNTAX', cause, hint, offset: at }
  }
  if (error.code === 'UNEXPECTED_TOKEN' && /^[\w$]\{/.test(text.slice(offset - 1)))
    return finding(
      'inside of {…} or […], a text with braces must be quoted',
      `write "\${env:NAME}", or 'metric{label="value"}'`,
    )
  // These share a code with others: the library's message tells them apart.
  if (error.message.startsWith('Flow ')) return finding('a { or [ above is not closed', 'close it')
  if (/^(Implicit map key|Sequence item)/.test(error.message))
    return finding(
      'this line is not indented as its siblings are, or has no `key: value`',
      'indent siblings by the same number of spaces',
    )
  if (error.message.startsWith('Missing closing'))
    return finding('a quote is not closed', 'close it', openQuote(document, offset))
  const [cause, hint] = SENTENCES[error.code] ?? UNEXPECTED
  return finding(cause, hint)
}

// The library tells where the text ended without its quote; where it began says more.
function openQuote(document: Document.Parsed<ParsedNode>, end: number): number {
  let start = end
  visit(document, {
    Scalar(_key, { type, range }) {
      if (range && type?.startsWith('QUOTE') && range[0] < end && range[1] >= end - 1) start = range[0]
    },
  })
  return start
}

function describeDuplicate(error: YAMLError, text: string): SyntaxFinding {
  const key = /^["']?[\w.$-]+["']?(?=\s*:)/.exec(text.slice(error.pos[0]))?.[0]
  return {
    code: 'CONFIG_DUPLICATE',
    cause: `the key ${key ?? 'here'} was written before in the same map`,
    hint: 'keep one of the two',
    offset: error.pos[0],
  }
}
