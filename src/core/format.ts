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
  const digits = Math.abs(value) >= 1 || value === 0 ? 1 : Math.min(6, 1 - Math.floor(Math.log10(Math.abs(value))))
  return String(Number(value.toFixed(digits)))
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
  // Every verdict of every sweep tells counts: `toLocaleString` would take longer than the judging.
  return String(Math.round(count)).replace(/\B(?=(?:\d{3})+$)/g, ',')
}
