import type { AdapterContext } from '../../src/ports/kind.ts'
import type { TrafficKind, TrafficScope, TrafficTarget } from '../../src/ports/traffic.ts'
import { failed, missingFor, unknownTarget } from '../../src/traffic/failure.ts'

/**
 * Opens as many scopes as these targets have, and asks them as if they were one: so the suite of traffic providers, which
 * writes to several targets at a time, also fits kinds whose scope has a single target.
 */
export function combinedScope<Settings, Account>(
  kind: TrafficKind<Settings, Account>,
  targets: readonly TrafficTarget<Settings>[],
  account: Account,
  context: AdapterContext,
): TrafficScope {
  const groups = [...Map.groupBy(targets, ({ settings }) => kind.scopeOf(settings)).values()]
  const scopes = groups.map((members) => ({
    ids: members.map(({ id }) => id),
    scope: kind.open(members, account, context),
  }))
  const known = new Set(targets.map(({ id }) => id))
  return {
    quota: scopes[0]?.scope.quota ?? null,
    restSeconds: scopes[0]?.scope.restSeconds ?? 0,
    async read(targetIds, signal) {
      const parts = await Promise.all(
        scopes.map(({ ids, scope }) => {
          const own = targetIds.filter((id) => ids.includes(id))
          return own.length === 0 ? [] : scope.read(own, signal)
        }),
      )
      const strangers = targetIds
        .filter((id) => !known.has(id))
        .map((id) => [id, missingFor(unknownTarget(id))] as const)
      return new Map([...parts.flatMap((part) => [...part]), ...strangers])
    },
    async write(changes, signal) {
      const parts = await Promise.all(
        scopes.map(({ ids, scope }) => {
          const own = changes.filter(({ targetId }) => ids.includes(targetId))
          return own.length === 0 ? [] : scope.write(own, signal)
        }),
      )
      const strangers = changes
        .filter(({ targetId }) => !known.has(targetId))
        .map(({ targetId }) => [targetId, failed(unknownTarget(targetId))] as const)
      return new Map([...parts.flatMap((part) => [...part]), ...strangers])
    },
    async inspect(targetIds, signal) {
      const parts = await Promise.all(
        scopes.map(({ ids, scope }) =>
          scope.inspect(
            targetIds.filter((id) => ids.includes(id)),
            signal,
          ),
        ),
      )
      return parts.flat()
    },
    async close() {
      await Promise.all(scopes.map(({ scope }) => scope.close()))
    },
  }
}
