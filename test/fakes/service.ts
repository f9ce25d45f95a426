import type { HeadgateEvent, JournalRow } from '../../src/core/event.ts'
import type { FleetView } from '../../src/core/fleet-view.ts'
import type { Verdict } from '../../src/core/gates/verdict.ts'
import { initialState } from '../../src/core/initial.ts'
import type { RoutedAlert, UnmatchedAlert } from '../../src/core/observation.ts'
import type { Plan } from '../../src/core/plan.ts'
import { problem } from '../../src/core/problem.ts'
import type { RolloutState } from '../../src/core/state.ts'
import type { AlertmanagerConfig } from '../../src/policy/schema-alertmanager.ts'
import type { AlertIntake } from '../../src/ports/alerts.ts'
import type { CommandRequest, Control, ServiceStatus, WorkloadView } from '../../src/ports/control.ts'
import type { Journal } from '../../src/ports/store.ts'
import { MemoryJournal } from '../../src/simulate/journal.ts'
import { PLAIN_PLAN, PLAIN_STEP } from '../support/plain.ts'

export const NOW_MS = Date.UTC(2026, 10, 20, 21, 45, 0)

/** What a test may change of the fake service, at any time. */
interface Settings {
  workloads: readonly WorkloadView[]
  status: ServiceStatus
  fleets: readonly FleetView[]
  /** Thrown by the next submits and reads; null: all is well. */
  failing: Error | null
  /** What alerts do; null: none is taken. */
  alertmanager: AlertmanagerConfig | null
  /** Called after a command was taken. */
  onSubmit(request: CommandRequest, factId: string): void
}

/** A running service without an engine: what it shows and what it is told is in the test's hands. */
export function createFakeService(workloads: readonly WorkloadView[] = [fakeView('catalog'), fakeView('checkout')]) {
  const settings: Settings = {
    workloads,
    status: fakeStatus(),
    fleets: [],
    failing: null,
    alertmanager: null,
    onSubmit: () => {},
  }
  const record = new MemoryJournal()
  const submitted: CommandRequest[] = []
  const listeners = new Set<(rows: readonly JournalRow[]) => void>()
  const factIds = new Set<string>()
  const control: Control = {
    status: () => settings.status,
    refresh: async () => {},
    workloads: () => settings.workloads,
    fleets: () => settings.fleets,
    submit: async (request) => {
      if (settings.failing) throw settings.failing
      if (!settings.workloads.some(({ state }) => state.workload === request.workload))
        throw problem('API_NOT_FOUND', `there is no workload "${request.workload}"`)
      const factId = request.factId ?? `fact-${submitted.length + 1}`
      const isNew = !factIds.has(factId)
      factIds.add(factId)
      if (isNew) submitted.push(request)
      if (isNew) settings.onSubmit(request, factId)
      return { factId, isNew }
    },
    submitAll: async (request, names) => {
      if (settings.failing) throw settings.failing
      return names.map((workload) => {
        const factId = `fact-${submitted.length + 1}`
        submitted.push({ ...request, workload, factId: null })
        return { factId, isNew: true }
      })
    },
    onCommit: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const alertFacts: (RoutedAlert | UnmatchedAlert)[] = []
  const alerts: AlertIntake = {
    take: async (facts) => {
      if (settings.failing) throw settings.failing
      return facts.map((fact) => {
        const isNew = !factIds.has(fact.id)
        factIds.add(fact.id)
        if (isNew) alertFacts.push(fact)
        return isNew
      })
    },
  }
  const journal: Journal = {
    read: async (query) => {
      if (settings.failing) throw settings.failing
      return record.read(query)
    },
    lastSeq: async () => record.head.seq,
    head: async () => record.head,
    verify: (expected) => record.verify(expected),
  }
  const append = (...events: readonly HeadgateEvent[]) => {
    const added = record.append(events)
    for (const listener of listeners) listener(added)
  }
  return Object.assign(settings, { control, journal, alerts, alertFacts, record, submitted, listeners, append })
}

export type FakeService = ReturnType<typeof createFakeService>

export function fakeEvent(workload: string | null, text = 'first step'): HeadgateEvent {
  const head = { atMs: NOW_MS, runId: 'run-1', workload, actor: 'headgate' }
  return { ...head, type: 'phase-entered', from: 'preparing', to: 'stepping', stepIndex: 0, reason: text }
}

export function fakeStatus(): ServiceStatus {
  return {
    version: '0.1.0',
    migrations: [{ migration: 'eks-1-33', clusters: { old: 'prod-a', new: 'prod-b' } }],
    configHash: '0123456789abcdef',
    startedAtMs: NOW_MS - 60_000,
    nowMs: NOW_MS,
    lastSweepAtMs: NOW_MS - 4000,
    sweepSeconds: 10,
    notReady: [],
  }
}

/** What may be said of a fake rollout: its state, and what its gates say. */
export type FakeState = Partial<RolloutState> & Partial<Pick<WorkloadView, 'verdicts'>>

const ALL_WELL: readonly Verdict[] = [
  { gate: 'burnRate/availability', outcome: 'pass', evidence: { requests: 100, note: null }, sentence: 'all well' },
]

/** A workload in its second step, with one of everything. */
export function fakeView(name: string, { verdicts = ALL_WELL, ...state }: FakeState = {}): WorkloadView {
  const tick = { old: { total: 90, bad: 0 }, new: { kind: 'missing', why: 'empty', detail: 'no series' } } as const
  return {
    plan: fakePlan(name),
    state: {
      ...initialState(name, `run-${name}`, NOW_MS - 60_000),
      planHash: 'feedfeedfeedfeed',
      phase: { name: 'stepping', stepIndex: 1 },
      intendedWeightPercent: 10,
      confirmedWeightPercent: 10,
      confirmedAtMs: NOW_MS - 50_000,
      inForceAtMs: NOW_MS - 40_000,
      heldMs: 40_000,
      evidence: {
        availability: { untilMs: NOW_MS, counts: { old: { total: 900, bad: 1 }, new: { total: 100, bad: 0 } } },
      },
      outcomes: Object.fromEntries((verdicts ?? ALL_WELL).map(({ gate, outcome }) => [gate, outcome])),
      ...state,
    },
    verdicts,
    observation: {
      replicas: null,
      targets: {
        [`${name}/http`]: { kind: 'weight', atMs: NOW_MS, weightPercent: 10 },
        [`${name}/haproxy`]: { kind: 'missing', atMs: NOW_MS, why: 'timeout', detail: 'no answer' },
      },
      slis: {
        availability: {
          kind: 'counts',
          sinceMs: NOW_MS - 10_000,
          atMs: NOW_MS,
          tick,
          windows: [{ seconds: 60, counts: tick }],
          latencies: { boundsSeconds: [0.1, 0.5], slower: { old: [9, 1], new: null } },
          dispersion: { phi: 1, ticks: 360, bad: 40 },
        },
        cpu: { kind: 'value', atMs: NOW_MS, value: { old: 0.4, new: tick.new } },
        latency: tick.new,
      },
      probes: {
        home: { atMs: NOW_MS, outcome: { old: null, new: { kind: 'failed', seconds: 0.2, why: 'status 500' } } },
      },
      checks: {
        parity: { outcome: 'pass', sentence: '1 image compared', hint: null, atMs: NOW_MS - 30_000 },
        ttls: { outcome: 'fail', sentence: 'a TTL of 1 h', hint: 'lower it', atMs: NOW_MS - 30_000 },
        clock: { outcome: 'skipped', sentence: 'nothing has a clock', hint: null, atMs: NOW_MS - 60_000 },
      },
    },
  }
}

function fakePlan(workload: string): Plan {
  const sli = { source: 'prometheus', labels: { cluster: 'cluster', workload: 'service' } }
  return {
    hash: 'feedfeedfeedfeed',
    migration: 'eks-1-33',
    workload,
    clusters: { old: 'prod-a', new: 'prod-b' },
    policy: 'standard',
    after: ['catalog'],
    steps: [1, 10, 100].map((weightPercent) => ({
      weightPercent,
      ...PLAIN_STEP,
      holdSeconds: 300,
      approval: weightPercent === 100 ? { roles: [], expiresSeconds: null } : null,
    })),
    safeWeightPercent: 0,
    bakeSeconds: 86_400,
    drainSeconds: 3600,
    minRequests: 100,
    blindAfterSeconds: 300,
    drift: 'hold',
    shareTolerancePercent: null,
    stuckAfterSeconds: 600,
    gates: [
      {
        kind: 'burnRate',
        id: 'burnRate/availability',
        sli: 'availability',
        pairs: [{ longSeconds: 300, shortSeconds: 60, factor: 14.4, then: 'revert' }],
      },
      { kind: 'threshold', id: 'threshold/cpu', sli: 'cpu', bound: { max: 0.8 }, then: 'halt' },
      { kind: 'probe', id: 'probe/home', probe: 'home', failures: 3, passes: 3, then: 'halt' },
    ],
    targets: [
      {
        id: `${workload}/http`,
        role: 'split',
        kind: 'http',
        scope: 'http:http://127.0.0.1:1',
        settings: { url: 'http://127.0.0.1:1', token: '${env:TOKEN}', nested: { list: [1, null, true] } },
        propagationSeconds: 0,
        movingTtlSeconds: null,
      },
    ],
    slis: [
      {
        ...sli,
        name: 'availability',
        objectivePercent: 99.9,
        measure: { kind: 'selector', total: 'http_requests_total', bad: 'http_requests_total{code=~"5.."}' },
      },
      {
        ...sli,
        name: 'latency',
        objectivePercent: 99,
        measure: { kind: 'histogram', metric: 'http_seconds', slowerThanSeconds: 0.5 },
      },
      {
        ...sli,
        name: 'own',
        objectivePercent: 99,
        measure: { kind: 'query', total: 'a[$window]', bad: 'b[$window]', windowSeconds: 60 },
      },
      { ...sli, name: 'cpu', objectivePercent: null, measure: { kind: 'value', value: 'c', windowSeconds: 60 } },
    ],
    ...PLAIN_PLAN,
    checks: [
      { id: 'parity', then: 'hold' },
      { id: 'ttls', then: 'tell' },
      { id: 'clock', then: 'hold' },
    ],
    checkRules: {
      ...PLAIN_PLAN.checkRules,
      mayDiffer: ['cluster-info'],
      stateful: 'moved by hand',
      replication: { query: 'lag', max: 5 },
    },
    probes: [
      {
        name: 'home',
        url: 'https://checkout.example.com/healthz',
        method: 'GET',
        address: { old: null, new: '203.0.113.9' },
        expectStatus: [200],
        expectBody: null,
        slowerThanSeconds: 5,
        certificateDays: 14,
        allowAddresses: [],
      },
    ],
  }
}
