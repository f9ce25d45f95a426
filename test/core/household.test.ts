import { expect, test } from 'vitest'
import { householdsOf } from '../../src/core/household.ts'

type Given = readonly (readonly [migration: string, workload: string, ...scopes: string[]])[]
type Wanted = readonly (readonly [migrations: string, workloads: string])[]

const cases: Record<string, readonly [Given, Wanted]> = {
  'no plans make none': [[], []],
  'the workloads of one migration are one': [
    [
      ['a', '1', 'x'],
      ['a', '2', 'y'],
    ],
    [['a', '1 2']],
  ],
  'migrations of scopes of their own are apart, in the order of the plans': [
    [
      ['b', '1', 'x'],
      ['a', '2', 'y'],
      ['b', '3', 'z'],
    ],
    [
      ['b', '1 3'],
      ['a', '2'],
    ],
  ],
  'migrations that share a scope are one': [
    [
      ['a', '1', 'x'],
      ['b', '2', 'y', 'x'],
    ],
    [['a b', '1 2']],
  ],
  'a later plan can join what was apart, with all that belongs to either': [
    [
      ['a', '1', 'x'],
      ['b', '2', 'y'],
      ['c', '3', 'z'],
      ['d', '4', 'x', 'z'],
      ['e', '5', 'w'],
    ],
    [
      ['a d c', '1 4 3'],
      ['b', '2'],
      ['e', '5'],
    ],
  ],
  'a workload that was moved from one migration to another makes them one': [
    [
      ['a', '1', 'x'],
      ['b', '1', 'y'],
    ],
    [['a b', '1']],
  ],
}

test.each(Object.entries(cases))('%s', (_, [given, wanted]) => {
  const plans = given.map(([migration, workload, ...scopes]) => ({
    migration,
    workload,
    targets: scopes.map((scope) => ({ scope })),
  }))
  const households = householdsOf(plans)
  const sorted = (words: string) => words.split(' ').toSorted()
  expect(
    households.map(({ migrations, workloads }) => [[...migrations].toSorted(), [...workloads].toSorted()]),
  ).toEqual(wanted.map(([migrations, workloads]) => [sorted(migrations), sorted(workloads)]))
})
