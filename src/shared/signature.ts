import { createHmac } from 'node:crypto'

/** The header that has the signature. */
export const SIGNATURE_HEADER = 'x-headgate-signature'

/**
 * `t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256, under the shared key, of the time, a dot, and the body's bytes. The
 * receiver refuses what is some minutes old, so that a request which somebody recorded is of no use later.
 */
export function signatureOf(body: string, key: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000)
  return `t=${seconds},v1=${createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')}`
}
