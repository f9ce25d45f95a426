import { readFileSync } from 'node:fs'
import { problem } from '../core/problem.ts'

/**
 * Resolves `${env:NAME}` or `${file:PATH}`; read anew at each call, so a rotated file counts from the next use. A
 * trailing newline is cut. Throws CONFIG_SECRET_UNRESOLVED, which names the reference and never the value.
 */
export function resolveSecret(reference: string, env: NodeJS.ProcessEnv = process.env): string {
  const [kind, name] = split(reference)
  const value = kind === 'env' ? env[name] : readSecretFile(reference, name)
  if (value === undefined || value === '')
    throw problem('CONFIG_SECRET_UNRESOLVED', `${reference} is ${value === '' ? 'empty' : 'not set'}`)
  return value
}

function split(reference: string): ['env' | 'file', string] {
  const match = /^\$\{(env|file):([^}]+)\}$/.exec(reference)
  if (!match) throw problem('CONFIG_SECRET_UNRESOLVED', 'a secret field holds no reference')
  return [match[1] as 'env' | 'file', match[2] as string]
}

function readSecretFile(reference: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw problem('CONFIG_SECRET_UNRESOLVED', `${reference} cannot be read: ${code}`)
  }
}
