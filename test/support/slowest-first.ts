import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that wait for a minute or more, the slowest first. */
const SLOWEST: readonly string[] = [
  ...['e2e/fleet', 'e2e/demo', 'bench/shape', 'e2e/kills', 'e2e/redis', 'e2e/crashes', 'e2e/disks', 'e2e/networks'],
  ...['e2e/doubts', 'simulate/seeds', 'simulate/mutants', 'e2e/outcomes', 'e2e/alertmanager', 'e2e/canaries'],
  ...['e2e/dashboards', 'e2e/powerdns-rollout', 'e2e/decommission', 'e2e/fencing', 'e2e/kubernetes', 'e2e/hooks'],
].map((name) => `/test/${name}.test.ts`)

/** Begins with what waits for long: at the end of a run nobody should wait for one file alone. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = SLOWEST.findIndex((end) => moduleId.endsWith(end))
      return place < 0 ? SLOWEST.length : place
    }
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}
