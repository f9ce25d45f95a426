/** Reads a body to its end, as text, by default in UTF-8; null: it has more bytes than that, and its connection was given up. */
export async function readBounded(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
  encoding: 'utf8' | 'latin1' = 'utf8',
): Promise<string | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving the loop early destroys the stream, and its connection with it.
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString(encoding)
}
