import { isMissing, type Missing } from '../../core/observation.ts'
import type { Log } from '../../ports/runtime.ts'
import type { Said } from './answer.ts'

/** After so many different warnings the memory of them starts anew. */
const REMEMBERED = 200

/** Logs the warnings of answers (a partial answer of Thanos, say), each once: a query is repeated at every sweep. */
export function createNoting(log: Log, source: string): (query: string) => <A extends Said | Missing>(answer: A) => A {
  const noted = new Set<string>()
  return (query) => (answer) => {
    if (isMissing(answer)) return answer
    for (const warning of answer.warnings) {
      const key = `${query}\n${warning}`
      if (noted.has(key)) continue
      if (noted.size >= REMEMBERED) noted.clear()
      noted.add(key)
      log.warn({ source, query, warning }, 'a source answered with a warning')
    }
    return answer
  }
}
