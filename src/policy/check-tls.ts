import { faultOf, type TlsFiles } from '../shared/tls-files.ts'
import type { ReadBeside } from './check-calendar.ts'
import type { Finding } from './finding.ts'
import type { ParsedConfig } from './schema.ts'

/** What is wrong with the files of `api.tls`: a service without them could not listen. */
export function checkTls({ api: { tls } }: Pick<ParsedConfig, 'api'>, read: ReadBeside): Finding[] {
  if (tls === undefined) return []
  const found: Finding[] = []
  const textOf = (key: keyof TlsFiles, file: string): string => {
    const content = read(file)
    if ('text' in content) return content.text
    found.push({ code: 'CONFIG_FILE_UNREADABLE', cause: `${file}: ${content.why}`, path: ['api', 'tls', key] })
    return ''
  }
  const files: TlsFiles = {
    cert: textOf('cert', tls.cert),
    key: textOf('key', tls.key),
    clientCa: tls.clientCa === undefined ? null : textOf('clientCa', tls.clientCa),
  }
  if (found.length > 0) return found
  const fault = faultOf(files)
  if (fault === null) return []
  const { of, hint } = fault
  return [{ code: 'CONFIG_WRONG_VALUE', cause: `${tls[of]}: ${fault.fault}`, hint, path: ['api', 'tls', of] }]
}
