import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A kubeconfig in a folder of its own. */
export interface Kubeconfig {
  readonly path: string
  readonly folder: string
  /** Gives its user other credentials. */
  rewrite(user: object): void
  remove(): void
}

/** What a kubeconfig says of a server beside its address. */
const UNCHECKED = { 'insecure-skip-tls-verify': true }

/**
 * Writes a kubeconfig whose contexts lead to these servers, the first one the current. `user` and `cluster` are as
 * kubeconfigs have them.
 */
export function writeKubeconfig(
  servers: Readonly<Record<string, string>>,
  user: object,
  cluster: object = UNCHECKED,
): Kubeconfig {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-kubeconfig-'))
  const path = join(folder, 'config')
  const names = Object.keys(servers)
  const write = (as: object) =>
    writeFileSync(
      path,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: names.map((name) => ({ name, cluster: { server: servers[name], ...cluster } })),
        users: [{ name: 'headgate', user: as }],
        contexts: names.map((name) => ({ name, context: { cluster: name, user: 'headgate' } })),
        'current-context': names[0],
      }),
    )
  write(user)
  return { path, folder, rewrite: write, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
