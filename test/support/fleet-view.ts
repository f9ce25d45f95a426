import type { FleetView } from '../../src/core/fleet-view.ts'

/** A migration of two waves, with nothing wrong. */
export function fakeFleet(more: Partial<FleetView> = {}): FleetView {
  const counts = { waiting: 0, underWay: 0, baked: 0, reverted: 0, cancelled: 0 }
  return {
    migration: 'eks-1-33',
    clusters: { old: 'prod-a', new: 'prod-b' },
    waves: [
      { name: 'canaries', workloads: ['catalog'], concurrency: 1, counts: { ...counts, baked: 1 } },
      {
        name: 'rest',
        workloads: ['checkout', 'cart'],
        concurrency: null,
        counts: { ...counts, underWay: 1, waiting: 1 },
      },
    ],
    concurrency: 5,
    spacingSeconds: 600,
    canaryFirst: true,
    breaker: { reverts: 2, withinSeconds: 3600, reverted: [], tripped: null },
    signals: [],
    ...more,
  }
}
