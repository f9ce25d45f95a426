import { z } from 'zod'
import type { ChannelKind } from '../ports/channel.ts'
import { about, secretReference } from '../shared/schema.ts'
import { SIGNATURE_HEADER, signatureOf } from '../shared/signature.ts'
import { allowedAddresses, plainUrl, postingChannel } from './http.ts'

const settings = z.strictObject({
  url: plainUrl().meta(about('What is told, by a POST of JSON', 'https://tools.example.com/headgate')),
  signingKey: secretReference().meta(about('Key of the signature in `x-headgate-signature`', '${env:WEBHOOK_KEY}')),
  allowAddresses: allowedAddresses(),
})

type Settings = z.output<typeof settings>

/** A webhook of one's own: the whole notification as JSON, signed, with an idempotency key. */
export const webhook: ChannelKind<Settings> = {
  kind: 'webhook',
  settings,
  takes: 'messages',
  open: (to, { secret, clock }) =>
    postingChannel(to.allowAddresses, (notification) => {
      const key = secret(to.signingKey)
      const body = JSON.stringify({ version: 1, ...notification })
      const headers = {
        'idempotency-key': notification.id,
        [SIGNATURE_HEADER]: signatureOf(body, key, clock.nowMs()),
      }
      return [{ url: to.url, headers, body, secrets: [key] }]
    }),
}
