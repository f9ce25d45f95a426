import type { ProblemCode } from '../core/catalogue.ts'
import type { Missing } from '../core/observation.ts'
import { problem } from '../core/problem.ts'
import type { TrafficFinding, WeightReading } from '../ports/traffic.ts'

/** What a plain read says about each target: a weight that cannot be read is a failure, another writer a warning. */
export function findingsOf(readings: ReadonlyMap<string, WeightReading>): readonly TrafficFinding[] {
  return [...readings].flatMap(([targetId, reading]): readonly TrafficFinding[] => {
    if (reading.kind === 'missing')
      return [
        { targetId, level: 'fail', problem: problem(CODES[reading.why] ?? 'TRAFFIC_REFUSED', reading.detail).toJSON() },
      ]
    if (reading.otherWriter === undefined) return []
    return [{ targetId, level: 'warn', problem: problem('TRAFFIC_OTHER_WRITER', reading.otherWriter).toJSON() }]
  })
}

const CODES: Partial<Record<Missing['why'], ProblemCode>> = {
  timeout: 'TRAFFIC_TIMEOUT',
  unreachable: 'TRAFFIC_UNREACHABLE',
  empty: 'TRAFFIC_NOT_FOUND',
  'bad-answer': 'TRAFFIC_BAD_ANSWER',
}
