import type { ChannelKind } from '../ports/channel.ts'
import { email } from './email.ts'
import { grafana } from './grafana.ts'
import { opsgenie } from './opsgenie.ts'
import { pagerduty } from './pagerduty.ts'
import { slack } from './slack.ts'
import { teams } from './teams.ts'
import { webhook } from './webhook.ts'

/** Every kind of channel that a config can name. */
export const channelKinds: readonly ChannelKind[] = [email, grafana, opsgenie, pagerduty, slack, teams, webhook]
