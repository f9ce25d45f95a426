import { stringify } from 'yaml'
import type { z } from 'zod'
import { uniqueKeys } from '../src/policy/union.ts'

type Shape = z.core.JSONSchema.JSONSchema

const UNITS: Readonly<Record<string, string>> = { duration: 's, m, h, d', latency: 'ms, s', percent: '%' }

const HEAD = `# Config reference

Every key that a config may have. [examples/minimal.yaml](../examples/minimal.yaml) is a short config and
[examples/full.yaml](../examples/full.yaml) a long one; [policies.md](policies.md) tells why the preset's numbers are as
they are. \`headgate validate FILE\` checks a config and names every mistake with its line and column. Several migrations
in one service are a folder of such files: see [directory.md](directory.md).

- A duration is a whole number and a unit: \`90s\`, \`5m\`, \`24h\`, \`7d\`. A percentage has its sign: \`10%\`.
- A secret is never written out: \`\${env:NAME}\` takes it from the environment, \`\${file:/PATH}\` from a file (an absolute
  path; a newline at its end is cut). Inside of \`{…}\`, put it in quotes. It is read at each use, so a rotated file counts.
- YAML anchors, aliases and merge keys (\`<<\`) work. Unknown keys are refused. Of thousands of workloads, a file without them, in ASCII and
  with no text or \`{…}\` over several lines, is read a second sooner at a start; it means the same.
- A list is shown as \`key[]\`, a map with names of your own as \`key.NAME\`.

<!-- Written by scripts/write-schema.ts. -->
`

/** The text of `docs/config.md`, from the config's JSON Schema. */
export function configDoc(shape: Shape): string {
  const sections = Object.entries(shape.properties ?? {}).filter(([, property]) => isNested(property))
  const plain = Object.entries(shape.properties ?? {}).filter(([, property]) => !isNested(property))
  const top = plain.map(([key, property]) => row(key, property, shape.required?.includes(key) ?? false))
  return [
    HEAD,
    '## Top level\n',
    table(top),
    ...sections.map(([key, property]) => section(key, property, shape.required?.includes(key) ?? false)),
  ].join('\n')
}

function section(key: string, property: unknown, required: boolean): string {
  const shape = asShape(property)
  const intro = [shape.description, required ? 'Required.' : ''].filter(Boolean).join('. ').replace('..', '.')
  return [`## \`${key}\`\n`, `${intro}${intro.endsWith('.') ? '' : '.'}\n`, ...tables(key, shape)].join('\n')
}

/** A table of the keys below; of a union of maps, a table for each form. */
function tables(path: string, shape: Shape): string[] {
  const inner = descend(path, shape)
  const forms = mapForms(inner.shape)
  if (forms.length <= 1) return [table(rows(inner.path, forms[0] ?? inner.shape))]
  const unique = uniqueKeys(forms)
  return forms.map((form, index) => {
    const title = (unique[index] ?? []).map((key) => `\`${key}\``).join(' and ')
    return `With ${title}:\n\n${table(rows(inner.path, form))}`
  })
}

/** Through lists and maps of names, to what they hold. */
function descend(path: string, shape: Shape): { readonly path: string; readonly shape: Shape } {
  if (shape.items) return descend(`${path}[]`, asShape(shape.items))
  if (typeof shape.additionalProperties === 'object')
    return descend(`${path}.NAME`, asShape(shape.additionalProperties))
  return { path, shape }
}

function mapForms(shape: Shape): readonly Shape[] {
  if (shape.properties) return [shape]
  return (shape.anyOf ?? []).map(asShape).filter((form) => form.properties)
}

function rows(path: string, shape: Shape): string[] {
  return Object.entries(shape.properties ?? {}).flatMap(([key, property]) => {
    const child = asShape(property)
    const full = `${path}.${key}`
    const own = row(full, child, shape.required?.includes(key) ?? false)
    const inner = descend(full, child)
    return [own, ...mapForms(inner.shape).flatMap((form) => rows(inner.path, form))]
  })
}

function row(path: string, property: unknown, required: boolean): string {
  const shape = asShape(property)
  const xUnit = shape['x-unit']
  const unit = typeof xUnit === 'string' ? xUnit : (UNITS[String(shape['x-type'])] ?? '')
  const fallback = required ? '**required**' : shape.default === undefined ? '' : defaultText(shape.default)
  const example = Array.isArray(shape.examples) ? code(shape.examples[0]) : ''
  return `| ${[`\`${path}\``, shape.description ?? '', typeOf(shape), fallback, unit, example].map(cell).join(' | ')} |`
}

// Long ones are the preset's, shown whole on their own page.
function defaultText(value: unknown): string {
  const text = code(value)
  return text.length > 80 ? 'see [policies.md](policies.md)' : text
}

function typeOf(shape: Shape): string {
  const own = shape['x-type']
  if (typeof own === 'string') return own
  if (shape.const !== undefined) return code(shape.const)
  if (shape.enum) return shape.enum.map(code).join(', ')
  if (shape.anyOf) return [...new Set(shape.anyOf.map((form) => typeOf(asShape(form))))].join(' or ')
  if (shape.items) return `list of ${typeOf(asShape(shape.items))}`
  const words: Readonly<Record<string, string>> = {
    string: 'text',
    integer: 'whole number',
    number: 'number',
    boolean: 'true or false',
    object: 'map',
  }
  const range = rangeOf(shape)
  return `${words[String(shape.type)] ?? String(shape.type)}${range === '' ? '' : `, ${range}`}`
}

function rangeOf({ minimum, maximum }: Shape): string {
  if (minimum === undefined) return maximum === undefined ? '' : `up to ${maximum}`
  return maximum === undefined ? `from ${minimum}` : `${minimum} to ${maximum}`
}

function table(lines: readonly string[]): string {
  return [
    '| key | what | type | default | unit | example |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n')
}

function isNested(property: unknown): boolean {
  const inner = descend('', asShape(property)).shape
  return mapForms(inner).length > 0
}

function code(value: unknown): string {
  return `\`${stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function asShape(value: unknown): Shape {
  // The shape comes from zod, which writes nothing but shapes there.
  return typeof value === 'object' && value !== null ? (value as Shape) : {}
}
