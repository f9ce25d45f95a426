/** The Pareto front as a picture: failed requests against false reverts, as every decider's threshold is turned. */
import type { Contender } from './summary.ts'

const SIZE = { width: 940, height: 520, left: 80, right: 330, top: 50, bottom: 70 } as const
const COLOURS = [
  '#0b6e4f',
  '#c8553d',
  '#588b8b',
  '#7768ae',
  '#e09f3e',
  '#3d5a80',
  '#9c6644',
  '#d81159',
  '#6c757d',
] as const
const TITLE = 'Failed requests against false reverts, as thresholds are turned'
/** False reverts that were not seen once are drawn here, per 1,000. */
const NONE_SEEN = 0.05

/** @param ours is drawn with a line, from the strictest to the loosest */
export function paretoPicture(ours: readonly Contender[], peers: readonly Contender[]): string {
  const all = [...ours, ...peers].filter(({ failedMedian }) => Number.isFinite(failedMedian) && failedMedian > 0)
  const families = [...new Set(all.map(({ family }) => family))]
  const y = logScale(
    [1, 2 * Math.max(...all.map(({ failedMedian }) => failedMedian))],
    [SIZE.height - SIZE.bottom, SIZE.top],
  )
  const x = logScale([NONE_SEEN, 1000], [SIZE.left, SIZE.width - SIZE.right])
  const place = (one: Contender) => [x(Math.max(NONE_SEEN, one.falseReverts)), y(one.failedMedian)] as const
  const dots = all.map((one) => {
    const [cx, cy] = place(one)
    const radius = ours.includes(one) ? 6 : 4
    const label = escaped(`${one.name}: ${one.falseReverts.toFixed(1)} per 1,000, ${one.failedMedian} failed`)
    const colour = colourOf(families, one.family)
    return `<circle cx="${cx}" cy="${cy}" r="${radius}" fill="${colour}" fill-opacity="0.8"><title>${label}</title></circle>`
  })
  const line = all.filter((one) => ours.includes(one)).map((one) => place(one).join(','))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="13">`,
    `<title>${TITLE}</title>`,
    `<rect width="${SIZE.width}" height="${SIZE.height}" fill="#fff"/>`,
    `<text x="${SIZE.left}" y="26" font-size="16">${TITLE}</text>`,
    ...[NONE_SEEN, 0.1, 1, 10, 100, 1000].map((value) =>
      verticalLine(x(value), value === NONE_SEEN ? '0' : `${value}`),
    ),
    ...[1, 10, 100, 1000, 10_000]
      .filter((value) => y(value) >= SIZE.top)
      .map((value) => horizontalLine(y(value), value)),
    axisTitle(SIZE.left + 265, SIZE.height - 20, 'worst false reverts per 1,000 healthy rollouts'),
    `<g transform="translate(22 ${SIZE.height / 2}) rotate(-90)">${axisTitle(0, 0, 'failed requests until revert, median')}</g>`,
    `<polyline points="${line.join(' ')}" fill="none" stroke="${COLOURS[0]}" stroke-width="2"/>`,
    ...dots,
    ...families.map((family, index) => legend(family, index, colourOf(families, family))),
    '</svg>',
    '',
  ].join('\n')
}

function logScale([low, high]: readonly [number, number], [from, to]: readonly [number, number]) {
  return (value: number) => Math.round((from + ((to - from) * Math.log(value / low)) / Math.log(high / low)) * 10) / 10
}

function verticalLine(x: number, label: string): string {
  const bottom = SIZE.height - SIZE.bottom
  return `<path d="M${x} ${SIZE.top}V${bottom}" stroke="#ddd"/><text x="${x}" y="${bottom + 20}" text-anchor="middle">${label}</text>`
}

function horizontalLine(y: number, value: number): string {
  const right = SIZE.width - SIZE.right
  return `<path d="M${SIZE.left} ${y}H${right}" stroke="#ddd"/><text x="${SIZE.left - 8}" y="${y + 4}" text-anchor="end">${value}</text>`
}

function axisTitle(x: number, y: number, text: string): string {
  return `<text x="${x}" y="${y}" text-anchor="middle">${text}</text>`
}

function legend(family: string, index: number, colour: string): string {
  const [x, y] = [SIZE.width - SIZE.right + 20, SIZE.top + 10 + index * 22]
  return `<circle cx="${x}" cy="${y}" r="5" fill="${colour}"/><text x="${x + 12}" y="${y + 4}">${escaped(family)}</text>`
}

function colourOf(families: readonly string[], family: string): string {
  return COLOURS[families.indexOf(family) % COLOURS.length] ?? COLOURS[0]
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
