/** A regular expression for a bucket's boundary: clients print one second as 1, 1.0 or 1.000. It takes no other number. */
export function boundPattern(seconds: number): string {
  const text = String(seconds).replaceAll('.', '\\.')
  return text.includes('.') ? `${text}0*` : `${text}(\\.0+)?`
}
