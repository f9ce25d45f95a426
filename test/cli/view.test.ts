import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toJournalRow, toStatus, toWorkload } from '../../src/api/views.ts'
import { createScreen } from '../../src/cli/screen.ts'
import {
  journalLine,
  statusLines,
  type WorkloadLine,
  weightBar,
  weightText,
  workloadLines,
} from '../../src/cli/view.ts'
import { problem } from '../../src/core/problem.ts'
import type { Hold } from '../../src/core/state.ts'
import { type FakeState, fakeEvent, fakeStatus, fakeView, NOW_MS } from '../fakes/service.ts'

const WIDE = { columns: 120, color: false }

function line(name: string, state: FakeState): WorkloadLine {
  return toWorkload(fakeView(name, state))
}

const hold = (cause: Hold['cause'], detail: string): Hold => ({ cause, detail, sinceMs: NOW_MS, actor: 'headgate' })

const waiting = { phase: { name: 'waiting' }, intendedWeightPercent: 0, confirmedWeightPercent: null } as const
const verdict = { gate: 'burnRate/availability', evidence: {}, sentence: 'new burns 31 times too fast' } as const

const LINES: Record<string, { state: FakeState; want: string }> = {
  'waiting for another': {
    state: { ...waiting, holds: [hold('dependency', 'waits for catalog (baking) to have baked')] },
    want: '· cart     ░░░░░░░░░░░░░░░░░░░░   not read yet  waiting         dependency: waits for catalog (baking) to have baked',
  },
  'stepping, all well': {
    state: {},
    want: '› cart     ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    held 40 s of 5 min',
  },
  'a higher weight on its way': {
    state: { confirmedWeightPercent: 1, intendedWeightPercent: 10 },
    want: '› cart     █▒░░░░░░░░░░░░░░░░░░   1.0 → 10.0 %  stepping 2/3    writing 10 %, not read back yet',
  },
  'read back, not yet in force': {
    state: { inForceAtMs: null },
    want: '› cart     ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    read back; settling until the observed share shows it',
  },
  'a gate that wants more': {
    state: { verdicts: [{ ...verdict, outcome: 'wait', sentence: '12 of 100 requests' }] },
    want: '› cart     ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    held 40 s of 5 min; 12 of 100 requests',
  },
  'paused by a person': {
    state: { holds: [{ ...hold('paused', 'lunch'), actor: 'ada' }] },
    want: '‖ cart     ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    paused: lunch',
  },
  'halted, and more': {
    state: { holds: [hold('paused', 'lunch'), hold('halted', 'too slow')] },
    want: '! cart     ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    halted: too slow (also paused)',
  },
  blind: {
    state: { holds: [hold('blind', 'Prometheus does not answer')] },
    want: '? cart     ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    blind: Prometheus does not answer',
  },
  'harm seen this very sweep': {
    state: { verdicts: [{ ...verdict, outcome: 'revert' }] },
    want: '! cart     ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    new burns 31 times too fast',
  },
  'harm seen before a restart': {
    state: { verdicts: null, outcomes: { [verdict.gate]: 'revert' } },
    want: '! cart     ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    a gate said revert before the start',
  },
  'held long enough before a restart': {
    state: { verdicts: null, heldMs: 300_000 },
    want: '› cart     ██░░░░░░░░░░░░░░░░░░         10.0 %  stepping 2/3    held long enough; not judged since the start',
  },
  'reverting: what leaves new is shown': {
    state: { phase: { name: 'reverting', reason: 'errors', startedAtMs: NOW_MS }, intendedWeightPercent: 0 },
    want: '✗ cart     ▒▒░░░░░░░░░░░░░░░░░░   10.0 → 0.0 %  reverting       errors',
  },
  reverted: {
    state: { phase: { name: 'reverted', reason: 'errors' }, intendedWeightPercent: 0, confirmedWeightPercent: 0 },
    want: '✗ cart     ░░░░░░░░░░░░░░░░░░░░          0.0 %  reverted        errors',
  },
  baking: {
    state: { phase: { name: 'baking' }, intendedWeightPercent: 100, confirmedWeightPercent: 100, heldMs: 7_200_000 },
    want: '› cart     ████████████████████        100.0 %  baking          held 2 h of 1 d',
  },
  completed: {
    state: { phase: { name: 'completed' }, intendedWeightPercent: 100, confirmedWeightPercent: 100 },
    want: '✓ cart     ████████████████████        100.0 %  completed       all traffic is on new',
  },
  cancelled: {
    state: { phase: { name: 'cancelled', reason: 'not today' } },
    want: '- cart     ██░░░░░░░░░░░░░░░░░░         10.0 %  cancelled       not today',
  },
}

describe('a workload’s line', () => {
  test.each(Object.entries(LINES))('%s', (_name, { state, want }) => {
    expect(workloadLines([line('cart', state)], WIDE)).toEqual([want])
  })

  test('a narrow terminal: the bar shrinks, then goes, and the why is cut', () => {
    const workload = line('cart', { holds: [hold('halted', 'far too slow for anybody to wait for it')] })
    const at = (columns: number) => workloadLines([workload], { columns, color: false })[0]
    expect(at(80)).toBe('! cart     █░░░░░░░░░         10.0 %  stepping 2/3    halted: far too slow for…')
    expect(at(60)).toBe('! cart             10.0 %  stepping 2/3    halted: far too…')
  })

  test('no line is wider than the terminal, and columns line up', () => {
    const names = fc.array(fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/), { minLength: 1, maxLength: 5 })
    const states = Object.values(LINES)
    fc.assert(
      fc.property(names, fc.integer({ min: 50, max: 200 }), fc.boolean(), (several, columns, color) => {
        const workloads = several.map((name, index) => line(name, states[index % states.length]?.state ?? {}))
        const lines = workloadLines(workloads, { columns, color }).map((text) => stripVTControlCharacters(text))
        const nameWidth = Math.min(32, Math.max(8, ...several.map((name) => name.length)))
        for (const text of lines) expect([...text].length).toBeLessThanOrEqual(Math.max(columns, nameWidth + 36))
        const phaseColumns = lines.map((text) =>
          text.search(/ {2}(waiting|stepping|baking|reverting|reverted|completed|cancelled)/),
        )
        expect(new Set(phaseColumns).size).toBe(1)
      }),
    )
  })

  test('colours add nothing but colour', () => {
    const workloads = Object.values(LINES).map(({ state }) => line('cart', state))
    const colored = workloadLines(workloads, { ...WIDE, color: true })
    expect(colored.join()).toContain('\u001b[31m')
    expect(colored.map((text) => stripVTControlCharacters(text).trimEnd())).toEqual(workloadLines(workloads, WIDE))
  })
})

describe('the weight bar', () => {
  const bar = (intended: number, confirmed: number | null) =>
    weightBar({ intendedWeightPercent: intended, confirmedWeightPercent: confirmed }, 10)

  test.each([
    [0, 0, '░░░░░░░░░░'],
    [0.1, 0.1, '█░░░░░░░░░'],
    [50, 50, '█████░░░░░'],
    [99.9, 99.9, '█████████░'],
    [100, 100, '██████████'],
    [100, 50, '█████▒▒▒▒▒'],
    [0, 50, '▒▒▒▒▒░░░░░'],
    [10, null, '▒░░░░░░░░░'],
  ])('%s %% intended, %s %% confirmed', (intended, confirmed, want) => expect(bar(intended, confirmed)).toBe(want))

  test('is always as wide as asked; full and empty only at the very ends', () => {
    const percent = fc.integer({ min: 0, max: 1000 }).map((tenths) => tenths / 10)
    fc.assert(
      fc.property(percent, fc.option(percent), fc.integer({ min: 2, max: 40 }), (intended, confirmed, width) => {
        const text = weightBar({ intendedWeightPercent: intended, confirmedWeightPercent: confirmed }, width)
        expect([...text]).toHaveLength(width)
        expect(text === '█'.repeat(width)).toBe(intended === 100 && confirmed === 100)
        expect(text === '░'.repeat(width)).toBe(intended === 0 && (confirmed ?? 0) === 0)
      }),
    )
  })

  test('an unknown weight is never shown as a number', () => {
    expect(weightText({ intendedWeightPercent: 0, confirmedWeightPercent: null })).toBe('not read yet')
    expect(weightText({ intendedWeightPercent: 10, confirmedWeightPercent: null })).toBe('? → 10.0 %')
  })
})

describe('a journal line', () => {
  test('time, mark, workload, sentence, and who, if it was a person', () => {
    const row = toJournalRow({ seq: 1, event: { ...fakeEvent('catalog'), actor: 'ada' } })
    expect(journalLine(row, WIDE)).toMatch(/^\d\d:\d\d:\d\d · catalog {6}preparing → stepping 1: first step \[ada\]$/)
  })

  test('what wakes somebody stands out', () => {
    const row = { ...toJournalRow({ seq: 1, event: fakeEvent(null) }), severity: 'page' as const }
    expect(journalLine(row, WIDE)).toMatch(/ ‼ headgate /)
  })

  test('text from elsewhere cannot steer the terminal', () => {
    const row = toJournalRow({ seq: 1, event: fakeEvent('catalog', 'a\u001b[2Jb\r\nc\u0007\u009b31m\u202e') })
    expect(journalLine(row, WIDE)).not.toMatch(/\p{C}/u)
  })
})

describe('the head', () => {
  test('what keeps Headgate from deciding stands right below', () => {
    const status = {
      ...toStatus(fakeStatus()),
      ready: false,
      lastSweepAtMs: null,
      notReady: [problem('STORE_BUSY', 'locked').toJSON()],
    }
    expect(statusLines(status, WIDE)).toEqual([
      'eks-1-33: prod-a → prod-b, no sweep yet, headgate 0.1.0',
      '! STORE_BUSY: locked (try again; another process may be writing)',
    ])
  })
})

describe('drawing in place', () => {
  const drawTo = (rows: number) => {
    const written: string[] = []
    const size = { columns: 80, rows }
    return { size, written, screen: createScreen({ out: (text) => void written.push(text), terminal: () => size }) }
  }

  test('goes up over what it drew, and wipes what is left of it', () => {
    const { screen, written } = drawTo(24)
    screen.draw(['one', 'two'])
    screen.draw(['three'])
    expect(written).toEqual(['\u001b[?25l\rone\u001b[K\ntwo\u001b[K\n\u001b[J', '\u001b[2A\rthree\u001b[K\n\u001b[J'])
  })

  test('what does not fit the height is counted, as it could not be drawn over', () => {
    const { screen, written } = drawTo(4)
    screen.draw(['1', '2', '3', '4', '5'])
    expect(stripVTControlCharacters(written.join(''))).toBe('\r1\n2\n… 3 more lines: make the window higher\n')
  })

  test('after a change of width everything is drawn anew', () => {
    const { screen, written, size } = drawTo(24)
    screen.draw(['one'])
    size.columns = 60
    screen.draw(['one'])
    expect(written[1]).toContain('\u001b[2J')
  })
})
