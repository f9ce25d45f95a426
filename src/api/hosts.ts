import { isIPv4 } from 'node:net'

/** True for `localhost`, 127.0.0.0/8 and ::1: only this machine reaches what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/**
 * Whether a `Host` header names this machine's loopback. A web page may make a browser ask loopback under a name of its
 * own (DNS rebinding); it cannot make the browser send another Host.
 */
export function isLoopbackHeader(header: string | undefined): boolean {
  if (header === undefined) return false
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(header.toLowerCase())
  return match !== null && isLoopback(match[1] ?? match[2] ?? '')
}
