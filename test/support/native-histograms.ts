/**
 * Native histograms for a real Prometheus: the remote-write protocol, as far as these tests need it. Field numbers are
 * those of Prometheus's prompb/types.proto.
 */

export interface NativeSeries {
  readonly labels: Readonly<Record<string, string>>
  readonly samples: readonly NativeSample[]
}

export interface NativeSample {
  readonly atMs: number
  /** Resolution: a bucket reaches from 2^((i − 1)/2^schema) to 2^(i/2^schema) seconds. */
  readonly schema: number
  /** The index i of the first bucket; the others follow it. */
  readonly first: number
  readonly counts: readonly number[]
}

/** Writes samples, oldest first; throws when they are refused. */
export async function writeNativeHistograms(url: string, series: readonly NativeSeries[]): Promise<void> {
  const response = await fetch(`${url}/api/v1/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    body: snappy(series.flatMap((one) => block(1, timeSeries(one)))),
  })
  if (!response.ok) throw new Error(`status ${response.status}: ${await response.text()}`)
}

function timeSeries({ labels, samples }: NativeSeries): number[] {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    ...sorted.flatMap(([name, value]) => block(1, [...text(1, name), ...text(2, value)])),
    ...samples.flatMap((sample) => block(4, histogram(sample))),
  ]
}

function histogram({ atMs, schema, first, counts }: NativeSample): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const deltas = counts.map((count, index) => count - (counts[index - 1] ?? 0))
  const buckets = [
    ...block(11, [...number(1, zigzag(first)), ...number(2, counts.length)]),
    ...block(
      12,
      deltas.flatMap((delta) => varint(zigzag(delta))),
    ),
  ]
  return [
    ...number(1, total),
    ...number(4, zigzag(schema)),
    ...number(6, 0),
    ...(counts.length > 0 ? buckets : []),
    ...number(15, atMs),
  ]
}

function number(field: number, value: number): number[] {
  return [...varint(field * 8), ...varint(value)]
}

function block(field: number, bytes: readonly number[]): number[] {
  return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes]
}

function text(field: number, value: string): number[] {
  return block(field, [...Buffer.from(value)])
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

/** Of whole numbers up to 2^53, so without bit operations, which end at 2^32. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

/** The snappy format without any compression: a length, then literals of at most 60 bytes. */
function snappy(bytes: readonly number[]): Uint8Array<ArrayBuffer> {
  const out = varint(bytes.length)
  for (let start = 0; start < bytes.length; start += 60) {
    const literal = bytes.slice(start, start + 60)
    out.push((literal.length - 1) * 4, ...literal)
  }
  return Uint8Array.from(out)
}
