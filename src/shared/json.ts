/**
 * The JSON in a text; undefined: it is none, which no schema takes. What was wrong is not told: a parser's words repeat a
 * part of the text, which may be a secret, and whoever asked says that the answer has another form.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
