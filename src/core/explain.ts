import type { EventBody, EventType, HeadgateEvent, Severity, SightChange } from './event.ts'
import { formatPercent, formatSpan } from './format.ts'
import type { Verdict } from './gates/verdict.ts'
import type { Trial } from './plan.ts'
import { trialLabel } from './step-label.ts'

type BodyOf<T extends EventType> = Extract<EventBody, { type: T }>
type Explainers = { readonly [T in EventType]: (event: BodyOf<T>) => string }
type Severities = { readonly [T in EventType]: Severity | ((event: BodyOf<T>) => Severity) }

/** One sentence for people, with the numbers. The workload's name and the time stand beside it wherever it is shown. */
export function explain(event: HeadgateEvent): string {
  const explainer = EXPLAINERS[event.type] as (body: EventBody) => string
  return explainer(event)
}

/** How loud the event is. */
export function severityOf(event: HeadgateEvent): Severity {
  const severity = SEVERITIES[event.type] as Severity | ((body: EventBody) => Severity)
  return typeof severity === 'function' ? severity(event) : severity
}

const EXPLAINERS: Explainers = {
  'controller-started': (e) => `Headgate ${e.version} started with ${count(e.workloads, 'workload')}`,
  'controller-stopped': (e) => `Headgate stopped: ${e.reason}; weights stay where they are`,
  'config-loaded': (e) =>
    `config ${e.hash} loaded${listed('added', e.added)}${listed('no longer configured', e.removed)}`,
  'config-rejected': (e) =>
    `config refused, the old one stays: ${count(e.problems.length, 'problem')}, first ${e.problems[0]?.code}: ${e.problems[0]?.cause}`,
  'rollout-created': () => 'rollout created: no traffic is moved yet',
  'plan-pinned': (e) =>
    `plan ${e.planHash} pinned (policy ${e.policy}): ${e.steps.map(stepLabel).join(' → ')}; later edits of the config do not change it`,
  'phase-entered': (e) => `${e.from} → ${phaseLabel(e.to, e.stepIndex)}: ${e.reason}`,
  'weight-intended': (e) =>
    e.trial === null
      ? `weight ${formatPercent(e.fromPercent)} → ${formatPercent(e.toPercent)}: ${e.reason}`
      : `${trialSentence(e.trial)}: ${e.reason}`,
  'weight-reasserted': (e) =>
    `weight ${formatPercent(e.weightPercent)} is written again over ${e.foundPercents.map((w) => formatPercent(w)).join(', ')}: ${e.reason}`,
  'weight-adopted': (e) =>
    `weight ${formatPercent(e.weightPercent)} adopted as it was found (${e.found.map((t) => `${t.targetId} ${formatPercent(t.weightPercent)}`).join(', ')}); goes on from ${e.stepIndex === null ? 'the bake' : `step ${e.stepIndex + 1} of ${e.steps}`}, evidence and hold time begin anew`,
  'weight-applied': (e) =>
    `${e.targetId} acknowledged ${formatPercent(e.weightPercent)}${e.ttlSeconds === null ? '' : `, with a TTL of ${formatSpan(e.ttlSeconds)}`}`,
  'weight-confirmed': (e) =>
    `weight ${formatPercent(e.weightPercent)} read back from every target, ${formatSpan(e.secondsSinceIntended)} after it was decided`,
  'weight-in-force': (e) =>
    e.observedSharePercent === null
      ? `weight ${formatPercent(e.weightPercent)} in force after ${formatSpan(e.settleSeconds)} to settle; the observed share is not checked`
      : `weight ${formatPercent(e.weightPercent)} in force: new served ${formatPercent(e.observedSharePercent)} of ${Math.round(e.requests)} requests`,
  'ttls-lowered': (e) =>
    `lowering TTLs before traffic moves: ${e.targets.map((t) => `${t.targetId} ${formatSpan(t.fromSeconds)} → ${formatSpan(t.toSeconds)}`).join(', ')}; then ${formatSpan(e.waitSeconds)} until no resolver has an old answer`,
  'ttls-restored': (e) => `TTLs after the move: ${e.targets.map(restoredTtl).join(', ')}`,
  'write-failed': (e) =>
    `writing ${formatPercent(e.weightPercent)} to ${e.targetId} failed (try ${e.attempt}): ${e.problem.code}: ${e.problem.cause}; tried again`,
  'hold-added': (e) => `on hold (${e.hold.cause}): ${e.hold.detail}`,
  'hold-removed': (e) => `hold ${e.cause} over after ${formatSpan(e.heldSeconds)}: ${e.reason}`,
  'verdict-changed': (e) => `${e.verdict.gate} says ${e.verdict.outcome}: ${e.verdict.sentence}`,
  'sight-changed': (e) => sightClauses(e.changes).join('; '),
  'revert-started': (e) => `reverting ${formatPercent(e.fromPercent)} → ${formatPercent(e.toPercent)}: ${e.reason}`,
  'revert-refused': (e) => `revert refused: ${e.reason}`,
  'revert-confirmed': (e) =>
    `reverted: every target reads ${formatPercent(e.weightPercent)}, ${formatSpan(e.secondsSinceStarted)} after the decision`,
  'command-done': (e) => `${e.command}: ${e.reason}`,
  'command-refused': (e) => `${e.command} refused: ${e.problem.cause} (${e.problem.hint})`,
  'alert-taken': (e) => `alert ${e.status}, ${e.alert.sentence}: ${e.outcome}`,
  'alert-unmatched': (e) => `alert ${e.alert.sentence} moves nothing: ${e.reason}`,
  'blind-too-long': (e) => `blind for ${formatSpan(e.seconds)}: ${e.detail}; nothing is raised until data is back`,
  'share-stuck': (e) =>
    `stuck: ${formatPercent(e.weightPercent)} written, new serves ${e.observedSharePercent === null ? 'an unknown share' : formatPercent(e.observedSharePercent)} for ${formatSpan(e.seconds)}; likely ${e.likelyCause}`,
  'clock-gap': (e) =>
    e.seconds < 0
      ? `the clock went back by ${formatSpan(-e.seconds)}; the hold time is earned again`
      : `${formatSpan(e.seconds)} passed unobserved; they do not count towards any hold time`,
  'check-changed': (e) => `check ${e.check}: ${e.to}: ${e.sentence}${e.hint === null ? '' : ` (${e.hint})`}`,
  'task-started': (e) => `${e.task} begins: ${e.what}`,
  'task-ended': (e) => `${e.task} ${e.outcome} after ${formatSpan(e.seconds)}: ${e.detail}`,
  'old-quiet': (e) =>
    `old is quiet: ${formatCount(e.requests)} in ${formatSpan(e.seconds)}, ${formatCount(e.allowed)} allowed; it may go`,
  'old-not-quiet': (e) =>
    `old is not quiet: ${formatCount(e.requests)} came after ${formatSpan(e.quietSeconds)}; the drain time begins anew`,
  'rollout-closed': (e) => `closed: ${e.reason}; there is no way back from here`,
}

const SEVERITIES: Severities = {
  'controller-started': 'info',
  'controller-stopped': 'warn',
  'config-loaded': 'info',
  'config-rejected': 'warn',
  'rollout-created': 'info',
  'plan-pinned': 'info',
  'phase-entered': 'info',
  'weight-intended': 'info',
  'weight-reasserted': 'warn',
  'weight-adopted': 'warn',
  'weight-applied': 'info',
  'weight-confirmed': 'info',
  'weight-in-force': 'info',
  'ttls-lowered': 'info',
  'ttls-restored': 'info',
  'write-failed': (e) => (e.attempt >= PAGE_AFTER_ATTEMPTS ? 'page' : 'warn'),
  'hold-added': ({ hold: { cause, actor } }) => {
    const wakes = cause === 'unknown-weight' || (cause === 'halted' && actor === 'headgate')
    return wakes ? 'page' : 'warn'
  },
  'hold-removed': 'info',
  'verdict-changed': (e) => verdictSeverity(e.verdict),
  'sight-changed': (e) => (e.changes.some(({ outcome }) => outcome === 'blind') ? 'warn' : 'info'),
  'revert-started': 'page',
  'revert-refused': 'page',
  'revert-confirmed': 'warn',
  'command-done': 'info',
  'command-refused': 'warn',
  'alert-taken': (e) => (e.status === 'firing' ? 'warn' : 'info'),
  'alert-unmatched': 'warn',
  'blind-too-long': 'page',
  'share-stuck': 'warn',
  'clock-gap': 'warn',
  'check-changed': (e) => (e.to === 'fail' || e.to === 'missing' ? 'warn' : 'info'),
  'task-started': 'info',
  'task-ended': (e) => (e.outcome === 'failed' ? 'warn' : 'info'),
  'old-quiet': 'info',
  'old-not-quiet': 'warn',
  'rollout-closed': 'info',
}

/** A write that failed so often wakes somebody; it is tried again all the same. */
export const PAGE_AFTER_ATTEMPTS = 5

/** That gates pass needs no words; their numbers are in the event. */
function sightClauses(changes: readonly SightChange[]): readonly string[] {
  const says = (gates: readonly string[], what: string) =>
    gates.length === 0 ? [] : [`${gates.join(', ')} ${gates.length === 1 ? 'says' : 'say'} ${what}`]
  const passing = changes.filter(({ outcome }) => outcome === 'pass').flatMap(({ from }) => Object.keys(from))
  const told = changes.filter(({ outcome }) => outcome !== 'pass')
  return [
    ...told.flatMap(({ from, outcome, sentence }) => says(Object.keys(from), `${outcome}: ${sentence}`)),
    ...says(passing, 'pass'),
  ]
}

function verdictSeverity(verdict: Verdict): Severity {
  return verdict.outcome === 'pass' || verdict.outcome === 'wait' ? 'info' : 'warn'
}

function stepLabel({ weightPercent, trial }: BodyOf<'plan-pinned'>['steps'][number]): string {
  return trialLabel(trial) ?? formatPercent(weightPercent)
}

function trialSentence(trial: Trial): string {
  if (trial.kind === 'marked') return 'only requests that are marked for it go to new'
  return `new gets a copy of ${formatPercent(trial.percent)} of the requests, and its answers are dropped`
}

type Restored = BodyOf<'ttls-restored'>['targets'][number]

function restoredTtl({ targetId, beforeSeconds, ttlSeconds }: Restored): string {
  const now = ttlSeconds === null ? 'none' : formatSpan(ttlSeconds)
  if (ttlSeconds === beforeSeconds || beforeSeconds === null) return `${targetId} ${now}, as before`
  return `${targetId} ${now}, which somebody else has set (it was ${formatSpan(beforeSeconds)})`
}

function phaseLabel(phase: string, stepIndex: number | null): string {
  return stepIndex === null ? phase : `${phase} ${stepIndex + 1}`
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

function formatCount(requests: number): string {
  return count(Math.round(requests), 'request')
}

function listed(label: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `; ${label}: ${names.join(', ')}`
}
