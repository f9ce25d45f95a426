import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that wait for a minute or more, the slowest first. */
const SLOWEST: readonly string[] = [
  ...[
    'simulate/seeds',
    'e2e/fleet',
    'bench/shape',
    'e2e/crashes',
    'e2e/redis',
    'e2e/kills',
    'e2e/networks',
    'e2e/demo',
  ],
  ...[
    'e2e/clocks',
    'e2e/redis-failover',
    'e2e/doubts',
    'e2e/disks',
    'e2e/alertmanager',
    'e2e/outcomes',
    'e2e/canaries',
  ],
  ...['e2e/dashboards', 'e2e/powerdns-rollout', 'simulate/mutants', 'e2e/decommission', 'e2e/directory', 'e2e/fencing'],
  ...['adapters/prometheus-source', 'e2e/kubernetes', 'e2e/hooks', 'core/gates/bound', 'calendar/calendar'],
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
