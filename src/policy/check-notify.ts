import type { CheckedFile } from './check-files.ts'
import type { FileFinding } from './files.ts'
import { suggestion } from './suggest.ts'

/** Channels may name workloads and migrations of every file of the service. */
export function checkNotify(files: readonly CheckedFile[]): FileFinding[] {
  const known = {
    workloads: files.flatMap(({ config }) => config.workloads.map(({ name }) => name)),
    migrations: files.map(({ config }) => config.migration),
  }
  const [first] = files
  if (!first) return []
  return first.config.notify.channels.flatMap((channel, index) =>
    (['workloads', 'migrations'] as const).flatMap((key) =>
      (channel[key] ?? []).flatMap((name, position): FileFinding[] => {
        if (known[key].includes(name)) return []
        const path = ['notify', 'channels', index, key, position]
        const cause = `no ${key === 'workloads' ? 'workload' : 'migration'} is called "${name}"`
        return [
          {
            finding: { code: 'CONFIG_NOT_FOUND', cause, hint: suggestion(name, known[key]), path },
            in: first.file.homeOf(path),
          },
        ]
      }),
    ),
  )
}
