import { loadConfig } from '../../config.ts'
import { problem } from '../../core/problem.ts'
import { channelKinds } from '../../notify/registry.ts'
import type { Config, MigrationConfig } from '../../policy/config.ts'
import { forecast } from '../../policy/forecast.ts'
import { createCalendar } from '../../shared/calendar/calendar.ts'
import { readTime, Zone } from '../../shared/calendar/zone.ts'
import { sourceKinds } from '../../sources/registry.ts'
import { trafficKinds } from '../../traffic/registry.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { type Session, say, sayJson } from '../session.ts'
import { type MigrationForecast, planLines } from '../view-plan.ts'
import { sayConfigProblems } from './config.ts'

export interface PlanOptions {
  /** Left out: now. */
  readonly start?: string
  /** TTL that names are taken to have, seconds. */
  readonly ttl: number
}

/** `headgate plan`: what each migration of a config would do, and by which numbers. Reads the config alone. */
export async function plan(session: Session, file: string, options: PlanOptions): Promise<ExitCode> {
  const { io, json, style } = session
  const loaded = await loadConfig(file, { traffic: trafficKinds, sources: sourceKinds, channels: channelKinds }, io.env)
  if (!loaded.ok) {
    sayConfigProblems(session, loaded.problems)
    return EXIT.usage
  }
  const { config } = loaded
  const { hash, sweepSeconds, observeTimeoutSeconds } = config
  const ttlSeconds = options.ttl
  const assumed = { sweepSeconds, ttlSeconds }
  const migrations = config.migrations.map((one) => {
    const zone = new Zone(one.calendar?.timeZone ?? 'UTC')
    const startMs = options.start === undefined ? io.clock.nowMs() : startOf(options.start, zone)
    return { config: one, service: config, zone, forecast: forecastOf(config, one, assumed, startMs) }
  })
  if (json)
    sayJson(session, {
      ok: true,
      hash,
      sweepSeconds,
      observeTimeoutSeconds,
      assumed: { ttlSeconds },
      migrations: migrations.map(jsonOf),
    })
  else
    say(
      session,
      migrations.flatMap((one, index) => [...(index === 0 ? [] : ['']), ...planLines({ ...one, assumed }, style)]),
    )
  return EXIT.ok
}

function forecastOf(
  { providers }: Config,
  { plans, fleet, calendar }: MigrationConfig,
  assumed: { readonly sweepSeconds: number; readonly ttlSeconds: number },
  startMs: number,
) {
  const at = calendar === null ? null : createCalendar(calendar)
  return forecast({ ...assumed, plans, fleet, providers, calendar: at, startMs })
}

function startOf(text: string, zone: Zone): number {
  const time = readTime(text)
  if (time === null)
    throw problem('CLI_USAGE', `--start ${text} is no time`, {
      hint: 'write for example 2026-11-23T08:00, with Z or +01:00 if it is of another zone',
    })
  return time.kind === 'zoned' ? time.ms : zone.firstInstantOf(time.ms)
}

function jsonOf({ config, zone, forecast: way }: Pick<MigrationForecast, 'config' | 'zone' | 'forecast'>): object {
  const { clusters, plans, fleet } = config
  return { ...way, timeZone: zone.name, clusters, fleet, plans }
}
