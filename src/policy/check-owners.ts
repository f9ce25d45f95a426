import type { Finding } from './finding.ts'
import { sliNamesOf } from './resolve.ts'
import type { ParsedConfig } from './schema.ts'
import { suggestion } from './suggest.ts'

/** An SLI whose series are of one workload judges that one, and no other. */
export function checkOwners(config: ParsedConfig): Finding[] {
  const names = config.workloads.map(({ name }) => name)
  return Object.entries(config.slis).flatMap(([sli, { onlyOf, origin }]): Finding[] => {
    if (onlyOf === undefined || origin === undefined) return []
    if (!names.includes(onlyOf))
      return [
        {
          code: 'CONFIG_NOT_FOUND',
          cause: `"${sli}" is of "${onlyOf}", and no workload is called so`,
          hint: `say by \`workload:\` whose it is: ${suggestion(onlyOf, names)}`,
          path: ['slis', sli, origin.tool],
          on: 'key',
        },
      ]
    return config.workloads.flatMap((workload, index): Finding[] => {
      if (workload.name === onlyOf || !sliNamesOf(workload, config).includes(sli)) return []
      const listed = workload.slis?.indexOf(sli)
      return [
        {
          code: 'CONFIG_WRONG_VALUE',
          cause: `"${workload.name}" would be judged by "${sli}", which is of "${onlyOf}" alone`,
          hint: 'say under `slis:` of each workload which SLIs judge it',
          path: ['workloads', index, ...(listed === undefined ? ['name'] : ['slis', listed])],
        },
      ]
    })
  })
}
