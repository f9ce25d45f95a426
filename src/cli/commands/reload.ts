import type { ReloadedJson } from '../../api/wire-reload.ts'
import { Refusal } from '../client.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { clean } from '../view.ts'
import { sayConfigProblems } from './config.ts'

/** `headgate reload`: has the service read its config again, and says what is other by now, or all that is wrong with it. */
export async function reload(session: Session): Promise<ExitCode> {
  try {
    const reloaded = await session.client().reload()
    if (session.json) sayJson(session, { ok: true, ...reloaded })
    else say(session, linesOf(reloaded))
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'API_CONFIG_REFUSED' || error.problems.length === 0) throw error
    sayConfigProblems(session, error.problems)
    if (!session.json) session.io.err('the old config stays\n')
    return EXIT.usage
  }
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const

function linesOf({ configHash, changes }: ReloadedJson): readonly string[] {
  if (changes.length === 0) return [`config ${configHash} is in force; nothing has changed`]
  const hasOther = changes.some(({ what, change }) => what === 'workload' && change === 'changed')
  return [
    `config ${configHash} is in force:`,
    ...changes.map((one) => `  ${SIGNS[one.change]} ${clean(nameOf(one))}`),
    ...(hasOther ? ['a rollout that has begun keeps the plan that it began with'] : []),
  ]
}

function nameOf({ what, name, migration }: ReloadedJson['changes'][number]): string {
  const of = migration === null ? '' : ` of ${migration}`
  return what === 'setting' ? `${name}${of}` : `${what} ${name}${of}`
}
