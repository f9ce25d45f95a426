import type { Readable } from 'node:stream'

const MAX_BYTES = 2 ** 20

/** Reads the first mebibyte of a body as text: enough to know it by, and no more than memory is for. */
export async function readStart(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    const buffer = Buffer.from(chunk)
    chunks.push(buffer.subarray(0, MAX_BYTES - bytes))
    bytes += buffer.length
    // Leaving the loop destroys the stream.
    if (bytes >= MAX_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
