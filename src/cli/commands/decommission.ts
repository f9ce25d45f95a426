import type { DecommissionJson } from '../../api/wire-decommission.ts'
import { formatSpan } from '../../core/format.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { clean, paint, type Style } from '../view.ts'

/** `headgate decommission`: whether OLD may go; exit code 1 says that it may not. */
export async function decommission(session: Session, workload: string | undefined): Promise<ExitCode> {
  const answer = await session.client().decommission(workload)
  if (session.json) sayJson(session, answer)
  else say(session, decommissionLines(answer, session.style))
  return answer.mayGo ? EXIT.ok : EXIT.failed
}

/** The answer first, then each workload with what shows it, and who still comes. */
export function decommissionLines({ mayGo, workloads }: DecommissionJson, style: Style): string[] {
  const able = workloads.filter((one) => one.mayGo).length
  const answer = mayGo ? 'yes: OLD may go' : `no: OLD may not go (${able} of ${workloads.length} workloads may)`
  return [
    paint(answer, mayGo ? 'good' : 'bad', style),
    ...workloads.flatMap((one) => [
      `${paint(one.mayGo ? '✓' : '✗', one.mayGo ? 'good' : 'bad', style)} ${clean(one.workload)}: ${clean(one.reasons.join('; '))}`,
      ...one.residual.by.map((by) => `    by ${clean(by.label)}: ${whoLine(by, one.residual.seconds)}`),
    ]),
  ]
}

function whoLine({ values }: DecommissionJson['workloads'][number]['residual']['by'][number], seconds: number): string {
  if ('kind' in values) return clean(values.detail)
  if (values.length === 0) return `nobody in ${formatSpan(seconds)}`
  return values.map(({ value, requests }) => `${clean(value)} ${Math.ceil(requests)}`).join(', ')
}
