import { randomBytes } from 'node:crypto'

/** What all secrets of a config are: each can be told from the others wherever it turns up. */
export interface Canaries {
  /** By the variable that has them. */
  readonly env: Readonly<Record<string, string>>
  /** The reference to a new secret; `made` puts the canary into what the secret must look like. */
  plant(label: string, made?: (canary: string) => string): string
  /** The secret itself. */
  of(label: string): string
  /** Labels of those that a text shows, as they are or in base64, as URLs or forms have them. */
  shownIn(text: string): readonly string[]
}

export function createCanaries(): Canaries {
  const env: Record<string, string> = {}
  const seeds = new Map<string, string>()
  const nameOf = (label: string) => `CANARY_${label.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
  const of = (label: string) => {
    const value = env[nameOf(label)]
    if (value === undefined) throw new Error(`nothing is planted as ${label}`)
    return value
  }
  return {
    env,
    of,
    plant(label, made = (canary) => canary) {
      if (env[nameOf(label)] !== undefined) throw new Error(`${label} is planted twice`)
      const seed = `canary-${randomBytes(16).toString('hex')}`
      seeds.set(label, seed)
      env[nameOf(label)] = made(seed)
      return `\${env:${nameOf(label)}}`
    },
    shownIn: (text) =>
      [...seeds].flatMap(([label, seed]) => (formsOf(seed).some((form) => text.includes(form)) ? [label] : [])),
  }
}

/** In base64 a text looks otherwise at each of three offsets: the middle of each, which no neighbour changes. */
function formsOf(seed: string): readonly string[] {
  const inBase64 = [0, 1, 2].map((offset) => {
    const text = Buffer.from(`${'x'.repeat(offset)}${seed}`).toString('base64')
    return text.slice(4, -4)
  })
  return [seed, ...inBase64]
}
