/** The text, or as much of it as fits into so many UTF-16 units, with a mark at the end; no character is cut in half. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text
  return `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
