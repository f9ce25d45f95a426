import { groupKey } from '../../ports/source.ts'

/** After so many groups the memory of them starts anew: their names come from outside. */
const REMEMBERED = 200_000

/**
 * Makes the key of each group once. Every answer of a large fleet names the same ten thousands again, and so all that is
 * kept by group has one text for it.
 */
export class GroupKeys {
  private readonly byCluster = new Map<string, Map<string, string>>()
  private count = 0

  of(cluster: string, workload: string): string {
    const known = this.byCluster.get(cluster)?.get(workload)
    if (known !== undefined) return known
    if (this.count >= REMEMBERED) this.forget()
    const key = groupKey(cluster, workload)
    const ofCluster = this.byCluster.get(cluster) ?? new Map()
    this.byCluster.set(cluster, ofCluster.set(workload, key))
    this.count += 1
    return key
  }

  private forget(): void {
    this.byCluster.clear()
    this.count = 0
  }
}
