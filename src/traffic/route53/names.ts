/** A name as Route 53 answers it, made comparable: lower case, `\052` read as `*`, without the dot at its end. */
export function plainName(wireName: string): string {
  return wireName
    .replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    .replace(/\.$/, '')
    .toLowerCase()
}

/** As Route 53 and the condition keys of IAM write it: what is no letter, digit, `-`, `_` or `.` as an octal number. */
export function escapedName(name: string): string {
  return name.replace(/[^a-z0-9._-]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/**
 * Sorts names as Route 53 lists them: by their labels from the last to the first, a dot after each
 * (API reference, ListResourceRecordSets).
 */
export function compareNames(a: string, b: string): number {
  const [left, right] = [reversed(a), reversed(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function reversed(name: string): string {
  return `${escapedName(name).split('.').reverse().join('.')}.`
}
