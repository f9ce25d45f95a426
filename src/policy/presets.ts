import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { type PolicySettings, policySchema } from './schema-policy.ts'

/** Policies that ship with Headgate, the slowest first. */
export const PRESETS = ['cautious', 'standard', 'fast'] as const

export type PresetName = (typeof PRESETS)[number]

interface Preset {
  /** As it is written. */
  readonly raw: Readonly<Record<string, unknown>>
  readonly settings: PolicySettings
}

const cache = new Map<PresetName, Preset>()

/** A preset, from its file beside this one; the file explains each number. */
export function readPreset(name: PresetName): Preset {
  const known = cache.get(name)
  if (known) return known
  const text = readFileSync(new URL(`./presets/${name}.yaml`, import.meta.url), 'utf8')
  const raw = z.record(z.string(), z.unknown()).parse(parse(text))
  const preset = { raw, settings: policySchema.parse(raw) }
  cache.set(name, preset)
  return preset
}

/** True for the name of a preset. */
export function isPresetName(name: string): name is PresetName {
  return PRESETS.some((preset) => preset === name)
}
