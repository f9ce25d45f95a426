import type { SliOrigin } from './plan.ts'

/** 12.5 → `12.5 %`, 25 → `25 %`; small shares keep two telling digits: 0.052 → `0.052 %`. */
export function formatPercent(percent: number): string {
  return `${formatNumber(percent)} %`
}

/** A share in [0, 1] as a percentage. */
export function formatShare(share: number): string {
  return formatPercent(share * 100)
}

/** At most one digit behind the point above 1, two telling digits below. */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  if (size >= 1 || size === 0) return String(Math.round(value * 10) / 10)
  const scale = 10 ** Math.min(6, 1 - Math.floor(Math.log10(size)))
  return String(Math.round(value * scale) / scale)
}

/** Seconds for people: 0.42 → `0.4 s`, 95 → `1 min 35 s`, 7300 → `2 h 1 min`. */
export function formatSpan(seconds: number): string {
  if (seconds < 59.95) return `${formatNumber(seconds)} s`
  const whole = Math.round(seconds)
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ]
  const parts = [
    [days, 'd'],
    [hours, 'h'],
    [minutes, 'min'],
    [whole % 60, 's'],
  ] as const
  const first = parts.findIndex(([n]) => n > 0)
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ')
}

/** 1500 → `1,500`. */
export function formatCount(count: number): string {
  const whole = Math.round(count)
  if (whole < 0) return `-${formatCount(-whole)}`
  if (whole < 1000) return String(whole)
  return `${formatCount(Math.floor(whole / 1000))},${String(whole % 1000).padStart(3, '0')}`
}

const TOOLS: Readonly<Record<SliOrigin['tool'], string>> = { openslo: 'OpenSLO', sloth: 'Sloth', pyrra: 'Pyrra' }

/** `OpenSLO checkout-availability in slos/checkout.yaml`. */
export function formatOrigin({ tool, of }: SliOrigin): string {
  return `${TOOLS[tool]} ${of}`
}
