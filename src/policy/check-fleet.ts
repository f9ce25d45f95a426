import type { Finding } from './finding.ts'
import { REST, signalSourceOf, wantedSignals, wavesOf } from './fleet.ts'
import type { Kinds } from './kinds.ts'
import { queryFault } from './promql.ts'
import type { ParsedConfig } from './schema.ts'
import { suggestion } from './suggest.ts'

/** `fleet`: each workload exists and is in one wave, none waits for a later one, and the signals can be read. */
export function checkFleet(config: ParsedConfig, kinds: Kinds): Finding[] {
  return [...checkNames(config), ...checkMembers(config), ...checkAfter(config), ...checkSignals(config, kinds)]
}

function checkNames({ fleet: { waves } }: ParsedConfig): Finding[] {
  return waves.flatMap(({ name }, index): Finding[] => {
    const path = ['fleet', 'waves', index, 'name']
    const first = waves.findIndex((wave) => wave.name === name)
    if (name === REST)
      return [
        {
          code: 'CONFIG_WRONG_VALUE',
          cause: `"${REST}" is the wave of the workloads that are in no other`,
          hint: 'choose another name, or leave the wave out',
          path,
        },
      ]
    if (first === index) return []
    return [
      {
        code: 'CONFIG_DUPLICATE',
        cause: `the wave "${name}" is there already`,
        hint: 'commands are said to a wave by its name: choose another',
        path,
        other: { path: ['fleet', 'waves', first, 'name'] },
      },
    ]
  })
}

function checkMembers({ fleet: { waves }, workloads }: ParsedConfig): Finding[] {
  const names = workloads.map(({ name }) => name)
  const seen = new Map<string, (string | number)[]>()
  return waves.flatMap((wave, index) =>
    wave.workloads.flatMap((name, position): Finding[] => {
      const path = ['fleet', 'waves', index, 'workloads', position]
      const first = seen.get(name)
      if (!first) seen.set(name, path)
      if (!names.includes(name))
        return [
          {
            code: 'CONFIG_NOT_FOUND',
            cause: `no workload is called "${name}"`,
            hint: suggestion(name, names),
            path,
          },
        ]
      if (!first) return []
      return [
        {
          code: 'CONFIG_DUPLICATE',
          cause: `"${name}" is in a wave already`,
          hint: 'a workload moves once: keep it in one wave',
          path,
          other: { path: first },
        },
      ]
    }),
  )
}

/** A workload that waits for one of a later wave would keep that wave from ever beginning. */
function checkAfter(config: ParsedConfig): Finding[] {
  const waves = wavesOf(config)
  const at = new Map(waves.flatMap(({ members }, index) => members.map(({ workload }) => [workload, index] as const)))
  return config.workloads.flatMap(({ name, after }, index) =>
    after.flatMap((other, position): Finding[] => {
      const [own, its] = [at.get(name), at.get(other)]
      if (own === undefined || its === undefined || its <= own) return []
      return [
        {
          code: 'CONFIG_CYCLE',
          cause: `"${name}" of wave ${waves[own]?.name} would wait for "${other}" of wave ${waves[its]?.name}, which comes later`,
          hint: `put "${other}" into the same wave or an earlier one`,
          path: ['workloads', index, 'after', position],
        },
      ]
    }),
  )
}

const NO_QUERY: Readonly<Record<string, string>> = {
  latency: 'no SLI is a histogram that it could be read from',
  errors: 'no SLI counts `total` and `bad` that it could be read from',
}

function checkSignals(config: ParsedConfig, kinds: Kinds): Finding[] {
  const wanted = wantedSignals(config)
  if (wanted.length > 0 && signalSourceOf(config, kinds) === null) {
    const able = kinds.sources.filter(({ measures }) => measures.includes('value')).map(({ kind }) => kind)
    return [
      {
        code: 'CONFIG_NOT_FOUND',
        cause: 'no source is configured that could read the signals',
        hint: `add one under \`sources\`: ${able.join(' or ')}`,
        path: ['fleet', 'signals'],
        on: 'key',
      },
    ]
  }
  return wanted.flatMap(({ signal: { id, query, clusterLabel }, path }): Finding[] => {
    if (query === null)
      return [
        {
          code: 'CONFIG_MISSING_KEY',
          cause: `the signal "${id}" has no query: ${NO_QUERY[id]}`,
          hint: `give it one, \`${id}: { query: … }\`, or list the signals that you want and leave it out`,
          path,
          on: 'key',
        },
      ]
    const fault = queryFault(query, [clusterLabel], 'optional')
    if (!fault) return []
    const isOwn = path.length > 2
    return [
      {
        code: 'CONFIG_PROMQL',
        cause: isOwn ? fault.cause : `the query of "${id}", ${query}: ${fault.cause}`,
        hint: fault.hint,
        path: isOwn ? [...path, 'query'] : path,
        ...(isOwn && { within: fault.offset }),
      },
    ]
  })
}
