/** The first clause of somebody else's text, on one line and not long, with the secrets struck out. */
export function clause(text: string, secrets: readonly string[]): string {
  const struck = secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
  const line = struck.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`
}

/** The code of an error (`ECONNREFUSED`), or its name. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  // Node tries each address of a name; the first failure tells as much as all of them.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
