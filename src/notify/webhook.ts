import { z } from 'zod'
import type { ChannelKind } from '../ports/channel.ts'
import { about, secretReference } from '../shared/schema.ts'
import { SIGNATURE_HEADER, signatureOf } from '../shared/signature.ts'
import { ACCEPTED, allowedAddresses, Poster, plainUrl, withSecrets } from './http.ts'

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
  open(to, { secret, clock }) {
    const poster = new Poster(to.allowAddresses)
    return {
      send: (notification, signal) =>
        withSecrets(async () => {
          const key = secret(to.signingKey)
          const body = JSON.stringify({ version: 1, ...notification })
          const headers = {
            'idempotency-key': notification.id,
            [SIGNATURE_HEADER]: signatureOf(body, key, clock.nowMs()),
          }
          const posted = await poster.post({ url: to.url, headers, body, secrets: [key] }, signal)
          return 'delivery' in posted ? posted.delivery : ACCEPTED
        }),
      close: () => poster.close(),
    }
  },
}
