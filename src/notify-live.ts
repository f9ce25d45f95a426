import { createQuotas } from './engine/quotas.ts'
import { kindOf } from './notify/notifier.ts'
import { channelKinds } from './notify/registry.ts'
import { sampleOf } from './notify/sample.ts'
import type { ChannelConfig, Config } from './policy/config.ts'
import type { Delivery } from './ports/channel.ts'
import type { Clock, Log, Random } from './ports/runtime.ts'
import { NO_TRACER } from './ports/tracer.ts'
import { within } from './shared/deadline.ts'
import { resolveSecret } from './shared/secret.ts'

const SEND_TIMEOUT_MS = 15_000

export interface SendSampleDeps {
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  /** Ends it early. */
  readonly signal: AbortSignal
}

/** Sends one sample to a channel, once. */
export async function sendSample(
  { notify, api }: Pick<Config, 'notify' | 'api'>,
  channel: ChannelConfig,
  { env, clock, log, random, signal }: SendSampleDeps,
): Promise<Delivery> {
  const secret = (reference: string) => resolveSecret(reference, env)
  const places = { publicUrl: api.publicUrl, runbookUrl: notify.runbookUrl }
  const opened = kindOf(channelKinds, channel).open(channel.settings, {
    clock,
    log,
    quotas: createQuotas(clock),
    tracer: NO_TRACER,
    secret,
  })
  try {
    const sample = sampleOf(channel, places, random.id(), clock.nowMs())
    return await within(clock, SEND_TIMEOUT_MS, (late) => opened.send(sample, AbortSignal.any([late, signal])))
  } finally {
    await opened.close()
  }
}
