import { paint, type Style } from '../../src/cli/view.ts'
import { formatPercent, formatSpan } from '../../src/core/format.ts'
import { isAsExpected, type Report, type WorkloadReport } from './report.ts'
import { CLUSTERS, REQUESTS_PER_SECOND } from './world.ts'

/** What one is about to see. */
export function introLines(style: Style): string[] {
  return [
    paint(`Headgate moves three services from cluster ${CLUSTERS.old} to cluster ${CLUSTERS.new}`, 'strong', style),
    '',
    `Each gets ${REQUESTS_PER_SECOND} requests a second through a small load balancer. Step by step`,
    `Headgate gives ${CLUSTERS.new} a greater share, and goes on only while the services' own`,
    `metrics are good. In ${CLUSTERS.new}, catalog is healthy; checkout has too few database`,
    'connections for 10 % of its traffic; the cache of search is too small for 25 %.',
    'Nobody has told Headgate.',
    '',
  ]
}

/** What came of it. */
export function summaryLines({ ok, seconds, workloads }: Report, style: Style): string[] {
  return [
    '',
    paint(`After ${Math.round(seconds)} s`, 'strong', style),
    ...Object.entries(workloads).flatMap(([name, report]) => outcomeLines(name, report, style)),
    '',
    ok ? paint('All three ended as they should.', 'good', style) : paint('Not all ended as they should.', 'bad', style),
  ]
}

function outcomeLines(name: string, report: WorkloadReport, style: Style): string[] {
  const { outcome, expected, finalWeightPercent, requests, failedRequests, slowRequests } = report
  const isRight = isAsExpected(report)
  const mark = isRight ? paint('✓', 'good', style) : paint('✗', 'bad', style)
  const where = `${outcome} at ${formatPercent(finalWeightPercent)}`
  const counts = `${whole(requests)} requests, ${whole(failedRequests)} failed, ${whole(slowRequests)} slow`
  const seconds = report.secondsFromFirstBadToRevertConfirmed
  const more = (text: string) => `${' '.repeat(12)}${text}`
  return [
    `${mark} ${name.padEnd(8)}  ${where.padEnd(18)}  ${counts}`,
    ...(seconds === null
      ? []
      : [more(`back on ${CLUSTERS.old} ${formatSpan(seconds)} after the first failed request`)]),
    ...(isRight ? [] : [more(`expected: ${expected}`)]),
  ]
}

export interface Visit {
  readonly apiUrl: string
  readonly apiToken: string
  /** How to run Headgate's command line from anywhere. */
  readonly command: string
}

/** How to look around in the demo while it stays up. */
export function visitLines({ apiUrl, apiToken, command }: Visit, style: Style): string[] {
  return [
    '',
    'All of it goes on running until Ctrl-C. In another terminal:',
    '',
    `  export HEADGATE_URL=${apiUrl} HEADGATE_TOKEN=${apiToken}`,
    `  alias headgate="${command}"`,
    '',
    `  headgate status search                          ${paint('why it stands still', 'calm', style)}`,
    `  headgate journal --workload checkout            ${paint('what happened, with the evidence', 'calm', style)}`,
    `  headgate revert search --reason "too slow"      ${paint('bring it back to blue', 'calm', style)}`,
    `  headgate watch                                  ${paint('see it happen', 'calm', style)}`,
    '',
  ]
}

/** Where to go from here, when the demo has ended. */
export function goodbyeLines(): string[] {
  return ['', 'Next: leave out --exit and look around in it, or start from examples/minimal.yaml.', '']
}

function whole(count: number): string {
  return count.toLocaleString('en-US')
}
