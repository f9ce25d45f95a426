import { missing } from '../../src/core/observation.ts'
import { sourceConformance } from '../conformance/source.ts'
import { createFakeSource } from '../fakes/source.ts'
import { PODS } from '../support/pods.ts'

sourceConformance('the fake', {
  measures: ['selector', 'histogram', 'nativeHistogram', 'query', 'value'],
  hasHistory: false,
  async createPlace() {
    const fake = createFakeSource()
    const pod = (name: keyof typeof PODS) => fake.pod(PODS[name].cluster, PODS[name].service)
    let atMs = 1_000_000
    return {
      source: fake.source,
      run: 'first',
      pods: { a1: pod('a1'), a2: pod('a2'), b1: pod('b1'), c1: pod('c1') },
      async tick() {
        atMs += 10_000
        return { sinceMs: atMs - 10_000, atMs }
      },
      async stop() {
        fake.fault = missing('unreachable', 'nobody is there')
      },
      async remove() {},
    }
  },
})
