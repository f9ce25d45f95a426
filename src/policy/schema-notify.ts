import { z } from 'zod'
import type { Json } from '../core/plan.ts'
import { about, duration } from '../shared/schema.ts'
import { ITEM_PLACES, TITLE_PLACES, unknownPlaces } from '../shared/template.ts'
import type { ChannelConfig, NotifyConfig } from './config.ts'
import type { ChannelKindConfig } from './kinds.ts'
import { httpUrl } from './schema-http.ts'
import { name, text } from './schema-names.ts'
import { jsonSettings } from './settings.ts'
import { suggestion } from './suggest.ts'

const MOST_CHANNELS = 50

/** The quietest that a channel is told where the config does not say. */
const QUIETEST = { messages: 'warn', incidents: 'page', marks: 'info' } as const

/** Who is told of what, and where: channels of these kinds. */
export function notifySchema(kinds: readonly ChannelKindConfig[]) {
  return z
    .strictObject({
      runbookUrl: httpUrl()
        .optional()
        .meta(
          about(
            'Your page with what to do, for links; an anchor is added, such as `#halted`',
            'https://wiki.example.com/headgate',
          ),
        ),
      channels: z
        .array(channelSchema(kinds))
        .max(MOST_CHANNELS)
        .prefault([])
        .superRefine((channels, ctx) => {
          for (const [index, { name: channel }] of channels.entries()) {
            if (channels.findIndex((other) => other.name === channel) === index) continue
            const params = { code: 'CONFIG_DUPLICATE', hint: 'give each channel a name of its own' }
            ctx.addIssue({
              code: 'custom',
              path: [index, 'name'],
              message: `the channel "${channel}" is there already`,
              params,
            })
          }
        })
        .meta(about('The channels')),
    })
    .prefault({})
    .meta(about('Who is told of what'))
}

function channelSchema(kinds: readonly ChannelKindConfig[]) {
  return z.strictObject({
    name: name().meta(about('Unique in the service; how far it has come is kept under this name', 'oncall')),
    to: toSchema(kinds),
    severity: z
      .enum(['info', 'warn', 'page'])
      .optional()
      .meta(
        about(
          'The quietest that is told; by default `warn`, `page` for incidents (pagerduty, opsgenie), `info` for marks (grafana)',
          'page',
        ),
      ),
    workloads: z
      .array(text())
      .min(1)
      .optional()
      .meta(about('Only these; by default all, and what is about the whole service', ['checkout'])),
    migrations: z
      .array(text())
      .min(1)
      .optional()
      .meta(about('Only these; by default all, and what is about the whole service', ['eks-1-33'])),
    group: duration({ maxSeconds: 3600 })
      .prefault('30s')
      .meta(about('What comes within this time is told together; a page does not wait', '30s')),
    mostPerMinute: z
      .int()
      .min(1)
      .max(600)
      .prefault(20)
      .meta(about('No more notifications than that; what waits is told together', 20, 'notifications/min')),
    template: z
      .strictObject({
        title: templateText(TITLE_PLACES).optional().meta(about('The title', '{{severity}} {{migration}}: {{what}}')),
        item: templateText(ITEM_PLACES)
          .optional()
          .meta(about('The text of each event', '{{workload}}: {{what}}. Next: {{next}}')),
      })
      .prefault({})
      .meta(about('Own texts instead of the built-in ones; see docs/notify.md for the names')),
  })
}

/** A channel's kind, and its settings. */
interface Destination {
  readonly kind: string
  readonly settings: Json
}

function toSchema(kinds: readonly ChannelKindConfig[]) {
  const shape = Object.fromEntries(
    kinds.map(({ kind, settings }) => [
      kind,
      jsonSettings(settings)
        .optional()
        .meta(about(`A channel of the kind ${kind}`)),
    ]),
  )
  const names = kinds.map(({ kind }) => kind).join(', ')
  return z
    .strictObject(shape)
    .transform((to, ctx): Destination => {
      const given = Object.entries(to).flatMap(([kind, settings]) =>
        settings === undefined ? [] : [{ kind, settings }],
      )
      const [first, ...others] = given
      if (first && others.length === 0) return first
      const code = first ? 'CONFIG_WRONG_VALUE' : 'CONFIG_MISSING_KEY'
      const message = first ? 'a channel that leads to two places' : 'nothing says where the channel leads'
      ctx.addIssue({ code: 'custom', message, params: { code, hint: `give each channel one of: ${names}` } })
      return z.NEVER
    })
    .meta(about('Where it leads, by kind'))
}

function templateText(places: readonly string[]) {
  return text()
    .meta({ 'x-type': 'template' })
    .superRefine((written, ctx) => {
      for (const place of unknownPlaces(written, places))
        ctx.addIssue({
          code: 'custom',
          message: `a template knows no "{{${place}}}" here`,
          params: { code: 'CONFIG_NOT_FOUND', hint: suggestion(place, places) },
        })
    })
}

type ParsedNotify = z.output<ReturnType<typeof notifySchema>>

/** As the config has it, with the defaults that depend on the kind. */
export function notifyOf({ runbookUrl, channels }: ParsedNotify, kinds: readonly ChannelKindConfig[]): NotifyConfig {
  return {
    runbookUrl: runbookUrl ?? null,
    channels: channels.map((channel): ChannelConfig => {
      const { to, severity, workloads = null, migrations = null, group, mostPerMinute, template } = channel
      const takes = kinds.find(({ kind }) => kind === to.kind)?.takes
      return {
        name: channel.name,
        ...to,
        severity: severity ?? QUIETEST[takes ?? 'messages'],
        workloads,
        migrations,
        groupSeconds: group,
        mostPerMinute,
        template: { title: template.title ?? null, item: template.item ?? null },
      }
    }),
  }
}
