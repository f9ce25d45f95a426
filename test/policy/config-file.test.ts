import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig, watchConfig } from '../../src/config.ts'
import { createFakeClock, type FakeClock } from '../../src/simulate/clock.ts'
import { kinds } from '../policies/kinds.ts'
import { untilHolds } from '../support/until.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-config-'))
  path = join(folder, 'headgate.yaml')
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('loadConfig', () => {
  test('a file that is not there is a problem, not a throw', async () => {
    const result = await loadConfig(path, kinds, {})
    expect(result).toEqual({
      ok: false,
      named: [],
      problems: [
        { code: 'CONFIG_FILE_UNREADABLE', cause: `${path}: ENOENT`, hint: 'check the path and its permissions' },
      ],
    })
  })

  test('a folder without a config is a problem, not a throw', async () => {
    expect(await loadConfig(folder, kinds, {})).toMatchObject({
      ok: false,
      problems: [{ code: 'CONFIG_FILE_UNREADABLE', cause: `${folder}: no *.yaml or *.yml in this folder` }],
    })
  })

  describe('of a folder', () => {
    const bad = (version: number) => `apiVersion: headgate/v${version}\n`
    const filesTold = async () => {
      const result = await loadConfig(folder, kinds, {})
      return result.ok ? [] : [...new Set(result.problems.map(({ at, cause }) => at?.file ?? cause))]
    }

    test('reads *.yaml and *.yml in the order of their names, and nothing else', async () => {
      for (const name of ['b.yml', 'a.yaml', 'c.yaml.bak', 'notes.md', '.hidden.yaml', 'yaml'])
        writeFileSync(join(folder, name), bad(2))
      mkdirSync(join(folder, 'deeper'))
      writeFileSync(join(folder, 'deeper', 'd.yaml'), bad(2))
      expect(await filesTold()).toEqual([join(folder, 'a.yaml'), join(folder, 'b.yml')])
    })

    test('that is a mounted ConfigMap reads each file once, by its link', async () => {
      const version = join(folder, '..2026_11_21_09_00_00.1')
      mkdirSync(version)
      symlinkSync('..2026_11_21_09_00_00.1', join(folder, '..data'))
      for (const name of ['a.yaml', 'b.yaml']) {
        writeFileSync(join(version, name), bad(2))
        symlinkSync(join('..data', name), join(folder, name))
      }
      expect(await filesTold()).toEqual([join(folder, 'a.yaml'), join(folder, 'b.yaml')])
    })

    test('tells every file that cannot be read', async () => {
      writeFileSync(join(folder, 'a.yaml'), bad(2))
      symlinkSync('nowhere', join(folder, 'b.yaml'))
      mkdirSync(join(folder, 'c.yaml'))
      expect(await filesTold()).toEqual([`${join(folder, 'b.yaml')}: ENOENT`, `${join(folder, 'c.yaml')}: EISDIR`])
    })
  })

  test('problems name the file as it was given', async () => {
    writeFileSync(path, 'apiVersion: headgate/v2\n')
    const result = await loadConfig(path, kinds, {})
    expect(result).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([expect.objectContaining({ at: { file: path, line: 1, column: 13 } })]),
    })
  })
})

describe('the ICS files of a calendar', () => {
  const EVENT = ['BEGIN:VEVENT', 'UID:1', 'SUMMARY:sale', 'DTSTART:20261127T080000Z', 'DURATION:PT1H', 'END:VEVENT']
  const calendarOf = (...lines: string[]) => ['BEGIN:VCALENDAR', ...lines, 'END:VCALENDAR', ''].join('\r\n')
  const load = () => loadConfig(path, kinds, {})
  beforeEach(() => {
    const text = readFileSync(new URL('../policies/good-minimal.txt', import.meta.url), 'utf8').split('----\n')[0]
    writeFileSync(path, `calendar: { freezes: [{ ics: plans/freezes.ics }] }\n${text}`)
    mkdirSync(join(folder, 'plans'))
  })
  const writeIcs = (text: string) => writeFileSync(join(folder, 'plans/freezes.ics'), text)

  test("are looked for from the config's folder, and are to be watched", async () => {
    writeIcs(calendarOf(...EVENT))
    const result = await load()
    expect(result.named).toEqual([join(folder, 'plans/freezes.ics')])
    expect(result.ok ? result.config.migrations[0].calendar?.freezes : result.problems).toEqual([
      { file: 'plans/freezes.ics', ics: calendarOf(...EVENT) },
    ])
  })

  test('make another config when they change', async () => {
    const hashes: unknown[] = []
    for (const text of [calendarOf(...EVENT), calendarOf(), calendarOf(...EVENT)]) {
      writeIcs(text)
      const result = await load()
      hashes.push(result.ok ? result.config.hash : result.problems)
    }
    expect(new Set(hashes).size).toBe(2)
    expect(hashes[0]).toBe(hashes[2])
  })

  test('that cannot be read are told at their place, and watched all the same', async () => {
    expect(await load()).toEqual({
      ok: false,
      named: [join(folder, 'plans/freezes.ics')],
      problems: [
        {
          code: 'CONFIG_FILE_UNREADABLE',
          cause: 'plans/freezes.ics: ENOENT',
          hint: 'check the path and its permissions',
          at: { file: path, line: 1, column: 30 },
        },
      ],
    })
  })

  test('that are none are told at their place', async () => {
    writeIcs(calendarOf('BEGIN:VEVENT', 'SUMMARY:sale', 'END:VEVENT'))
    expect(await load()).toMatchObject({
      problems: [
        {
          code: 'CONFIG_CALENDAR',
          cause: 'plans/freezes.ics is no ICS calendar that can be used: sale has no DTSTART',
          at: { line: 1, column: 30 },
        },
      ],
    })
  })
})

describe('watchConfig', () => {
  let named: readonly string[]
  let clock: FakeClock
  let stop: AbortController
  let changes: number
  let done: Promise<void>

  async function watch(watched = path): Promise<void> {
    named = []
    clock = createFakeClock(0)
    stop = new AbortController()
    changes = 0
    done = watchConfig(
      watched,
      () => named,
      clock,
      () => void changes++,
      stop.signal,
    )
    await asleep()
  }
  // The file is read between sleeps: a poll is over when the watcher sleeps again.
  const asleep = () => untilHolds(() => expect(clock.sleepers()).toBe(1))
  async function polls(count: number): Promise<void> {
    for (let poll = 0; poll < count; poll++) {
      await clock.advance(1000)
      await asleep()
    }
  }
  afterEach(async () => {
    stop?.abort()
    await done
  })

  test('an edit in place is told once, when the file has settled', async () => {
    writeFileSync(path, 'a')
    await watch()
    writeFileSync(path, 'b')
    await polls(1)
    expect(changes).toBe(0)
    await polls(3)
    expect(changes).toBe(1)
  })

  test('a file that is still being written is not taken', async () => {
    writeFileSync(path, 'a')
    await watch()
    for (const text of ['b', 'bc', 'bcd']) {
      writeFileSync(path, text)
      await polls(1)
    }
    expect(changes).toBe(0)
    await polls(1)
    expect(changes).toBe(1)
  })

  test('an editor that puts another file in its place is seen', async () => {
    writeFileSync(path, 'a')
    await watch()
    writeFileSync(`${path}.new`, 'b')
    renameSync(`${path}.new`, path)
    await polls(2)
    expect(changes).toBe(1)
  })

  test("a ConfigMap's swapped link is seen", async () => {
    for (const version of ['1', '2']) {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, 'headgate.yaml'), version)
    }
    symlinkSync('1', join(folder, '..data'))
    symlinkSync('..data/headgate.yaml', path)
    await watch()
    symlinkSync('2', join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    await polls(2)
    expect(changes).toBe(1)
  })

  test('a file that is touched, or written with the same text, is no change', async () => {
    writeFileSync(path, 'a')
    await watch()
    writeFileSync(path, 'a')
    await polls(3)
    expect(changes).toBe(0)
  })

  test.each<[string, () => void, number]>([
    ['an edit of one of them', () => writeFileSync(join(folder, 'b.yaml'), 'other'), 1],
    ['a new one', () => writeFileSync(join(folder, 'c.yml'), 'c'), 1],
    ['one that goes', () => unlinkSync(join(folder, 'b.yaml')), 1],
    ['one that is called otherwise', () => renameSync(join(folder, 'b.yaml'), join(folder, 'c.yaml')), 1],
    ['a text that wanders to another file', () => writeFileSync(join(folder, 'a.yaml'), 'ab'), 1],
    ['a file that is no config', () => writeFileSync(join(folder, 'headgate.db'), 'x'), 0],
    ['the same text again', () => writeFileSync(join(folder, 'b.yaml'), 'b'), 0],
  ])('of the files of a folder: %s', async (_name, edit, want) => {
    for (const name of ['a', 'b']) writeFileSync(join(folder, `${name}.yaml`), name)
    await watch(folder)
    edit()
    await polls(3)
    expect(changes).toBe(want)
  })

  test('a change of a file that the config names is told, and that it names another is none', async () => {
    const [first, second] = [join(folder, 'a.ics'), join(folder, 'b.ics')]
    writeFileSync(path, 'a')
    writeFileSync(first, '1')
    await watch()
    named = [first]
    await polls(2)
    expect(changes).toBe(0)
    writeFileSync(path, 'b')
    await polls(2)
    expect(changes).toBe(1)
    writeFileSync(first, '2')
    await polls(2)
    expect(changes).toBe(2)
    named = [second]
    await polls(2)
    writeFileSync(path, 'c')
    await polls(2)
    expect(changes).toBe(3)
    writeFileSync(second, 'there now')
    await polls(3)
    expect(changes).toBe(4)
  })

  test('a file that goes is a change, and so is its return', async () => {
    writeFileSync(path, 'a')
    await watch()
    unlinkSync(path)
    await polls(2)
    expect(changes).toBe(1)
    writeFileSync(path, 'a')
    await polls(2)
    expect(changes).toBe(2)
  })
})
