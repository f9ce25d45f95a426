import type { ProblemJson } from '../core/problem.ts'
import type { Check } from '../diagnose.ts'
import { clean, paint, type Style } from './view.ts'

const LEVELS = {
  ok: { mark: '✓', tone: 'good' },
  warn: { mark: '!', tone: 'warn' },
  fail: { mark: '✗', tone: 'bad' },
} as const

/**
 * What `headgate doctor` found: a line for each thing that it looked at, and below it each problem with what to do. Never
 * cut: a hint that ends half-way helps nobody.
 */
export function doctorLines(
  file: string,
  migrations: readonly string[],
  checks: readonly Check[],
  style: Style,
): string[] {
  return [
    paint(`${clean(migrations.join(', '))}: looked at live, nothing written`, 'strong', style),
    ...section(
      'targets',
      checks.filter(({ kind }) => kind === 'target'),
      style,
    ),
    ...section(
      'SLIs',
      checks.filter(({ kind }) => kind === 'sli'),
      style,
    ),
    ...section(
      'synthetic tests',
      checks.filter(({ kind }) => kind === 'synthetic'),
      style,
    ),
    ...section(
      'clusters',
      checks.filter(({ kind }) => kind === 'cluster'),
      style,
    ),
    ...section(
      'the API',
      checks.filter(({ kind }) => kind === 'api'),
      style,
    ),
    '',
    summary(checks),
    `What Headgate must be allowed to do: headgate doctor --privileges ${clean(file)}`,
  ]
}

function section(title: string, checks: readonly Check[], style: Style): string[] {
  if (checks.length === 0) return []
  return ['', paint(title, 'strong', style), ...checks.flatMap((check) => checkLines(check, style))]
}

function checkLines({ about, level, problems }: Check, style: Style): string[] {
  const { mark, tone } = LEVELS[level]
  return [
    `${paint(mark, tone, style)} ${level.padEnd(4)}  ${clean(about)}`,
    ...problems.flatMap((problem) => problemLines(problem, style)),
  ]
}

function problemLines({ code, cause, hint }: ProblemJson, style: Style): string[] {
  return [`        ${code}: ${clean(cause)}`, paint(`        → ${clean(hint)}`, 'calm', style)]
}

function summary(checks: readonly Check[]): string {
  const count = (level: Check['level']) => checks.filter((check) => check.level === level).length
  const [ok, warn, fail] = [count('ok'), count('warn'), count('fail')]
  return `${ok} ok, ${warn} to look at, ${fail} that would stop a rollout`
}
