import { z } from 'zod'
import { about, refuse } from '../shared/schema.ts'
import { text } from './schema-names.ts'

/** A file's name. Somebody may have written what belongs into the file: that is never repeated. */
function fileName() {
  return z.string().transform((written, ctx): string => {
    if (written !== '' && !/-----|[\r\n]/.test(written)) return written
    return written === ''
      ? refuse(ctx, 'CONFIG_WRONG_VALUE', 'no file has an empty name', 'write the path of a PEM file')
      : refuse(ctx, 'CONFIG_SECRET_LITERAL', 'this is no name of a file', 'write the path of a PEM file, not its text')
  })
}

/** `api.tls`. */
export const tlsSchema = z
  .strictObject({
    cert: fileName().meta(
      about(
        "PEM file of the certificate, with its chain, relative to the config's folder",
        '/etc/headgate/tls/tls.crt',
      ),
    ),
    key: fileName().meta(about('PEM file of its private key, without a passphrase', '/etc/headgate/tls/tls.key')),
    clientCa: fileName()
      .optional()
      .meta(about('PEM file of the authorities whose certificates clients may show', '/etc/headgate/clients-ca.crt')),
  })
  .meta(about('TLS for the API; its files are read again when they change'))

/** How a client is told by its certificate. */
export const certificateShape = {
  san: z
    .string()
    .transform((written, ctx): string => {
      const match = /^(DNS|URI|email):([^\s,"']+)$/.exec(written)
      if (match) return written
      return refuse(
        ctx,
        'CONFIG_WRONG_VALUE',
        `"${written}" is no alternative name of a certificate`,
        'write `DNS:`, `URI:` or `email:` and the name as the certificate has it',
      )
    })
    .optional()
    .meta(about('One of its alternative names', 'DNS:alertmanager.monitoring.svc')),
  subject: text().optional().meta(about('Or all of its subject, as RFC 2253 writes it', 'CN=alertmanager,O=Example')),
}
