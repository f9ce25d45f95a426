import type { ConfigFile, FileFinding, MigrationFile } from './files.ts'
import type { Finding, Path } from './finding.ts'
import type { TrafficKindConfig } from './kinds.ts'
import { objectsOf } from './kubernetes.ts'
import { targetsOf } from './resolve.ts'
import type { ParsedConfig } from './schema.ts'

/** A file that fits the schema. */
export interface CheckedFile {
  readonly file: MigrationFile
  readonly config: ParsedConfig
}

/** The rules over several files; those within one are `checkConfig`'s. */
export function checkFiles(files: readonly CheckedFile[], kinds: readonly TrafficKindConfig[]): FileFinding[] {
  if (files.length < 2) return []
  return [
    ...claimedTwice(files, ({ config }) => [migrationClaim(config)]),
    ...claimedTwice(files, ({ config }) => config.workloads.map(workloadClaim)),
    ...claimedTwice(files, ({ config }) => placeClaims(config, kinds)),
    ...claimedTwice(files, ({ config }) => objectClaims(config)),
  ]
}

/** Says of an `after` which file its workload is in, where it is in another than its own. */
export function tellOtherFiles(findings: readonly FileFinding[], files: readonly CheckedFile[]): FileFinding[] {
  return findings.map((one) => {
    const [key, index, list, position] = one.finding.path
    if (one.finding.code !== 'CONFIG_NOT_FOUND' || key !== 'workloads' || list !== 'after') return one
    const own = files.find(({ file }) => file.yaml === one.in.yaml)
    const name = own?.config.workloads[Number(index)]?.after[Number(position)]
    const other = files.find(({ config }) => config.workloads.some((workload) => workload.name === name))
    if (!other) return one
    const hint = `it is in ${other.file.file}: \`after\` names workloads of the same migration`
    return { ...one, finding: { ...one.finding, hint } }
  })
}

/** Something that only one file may have. */
interface Claim {
  readonly key: string
  readonly path: Path
  readonly on?: 'key'
  /** The finding when another file, which has this claim, has had it before. */
  refused(earlier: Claim): Pick<Finding, 'code' | 'cause' | 'hint'>
  /** Whose it is. */
  readonly of: string
}

function claimedTwice(files: readonly CheckedFile[], claimsOf: (file: CheckedFile) => readonly Claim[]): FileFinding[] {
  const claims = new Map<string, { readonly claim: Claim; readonly file: ConfigFile }>()
  const found: FileFinding[] = []
  for (const checked of files)
    for (const claim of claimsOf(checked)) {
      const first = claims.get(claim.key)
      if (!first) claims.set(claim.key, { claim, file: checked.file })
      // Twice in one file is that file's own finding.
      else if (first.file !== checked.file)
        found.push({
          finding: { ...claim.refused(first.claim), ...placeOf(claim), other: placeOf(first.claim) },
          in: checked.file,
          otherIn: first.file,
        })
    }
  return found
}

function placeOf({ path, on }: Claim) {
  return { path, ...(on && { on }) }
}

function migrationClaim({ migration }: ParsedConfig): Claim {
  return {
    key: migration,
    of: migration,
    path: ['migration'],
    refused: () => ({
      code: 'CONFIG_DUPLICATE',
      cause: `the migration "${migration}" is there already`,
      hint: 'give each file a migration of its own',
    }),
  }
}

function workloadClaim({ name }: ParsedConfig['workloads'][number], index: number): Claim {
  return {
    key: name,
    of: name,
    path: ['workloads', index, 'name'],
    refused: () => ({
      code: 'CONFIG_DUPLICATE',
      cause: `the workload "${name}" is there already`,
      hint: 'a workload has one name in all files, and is in one migration',
    }),
  }
}

function placeClaims({ workloads }: ParsedConfig, kinds: readonly TrafficKindConfig[]): Claim[] {
  return workloads.flatMap((workload, index) =>
    targetsOf(workload, kinds).map(
      ({ kind, scope, place, path }): Claim => ({
        key: JSON.stringify([scope, place]),
        of: workload.name,
        path: ['workloads', index, ...path],
        on: 'key',
        refused: (earlier) => ({
          code: 'CONFIG_SCOPE_CLAIMED',
          cause: `${kind} ${place} is already a target of "${earlier.of}"`,
          hint: 'give each workload a place of its own',
        }),
      }),
    ),
  )
}

/** As within one file, an object is one workload's on each side; here it is known by its API server, too. */
function objectClaims({ kubernetes, workloads }: ParsedConfig): Claim[] {
  if (!kubernetes) return []
  return workloads.flatMap((workload, index) => {
    const objects = objectsOf(workload)
    if (objects === null) return []
    return (['old', 'new'] as const).map(
      (side): Claim => ({
        key: JSON.stringify([side, kubernetes[side], objects[side]]),
        of: workload.name,
        path: ['workloads', index, 'kubernetes'],
        on: 'key',
        refused: (earlier) => ({
          code: 'CONFIG_DUPLICATE',
          cause: `"${earlier.of}" has this object`,
          hint: 'give each workload an object of its own',
        }),
      }),
    )
  })
}
