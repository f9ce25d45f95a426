import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A kubeconfig in a folder of its own. */
export interface Kubeconfig {
  readonly path: string
  remove(): void
}

/** Writes a kubeconfig whose contexts lead to these servers, the first one the current. `user` is as kubeconfigs have it. */
export function writeKubeconfig(servers: Readonly<Record<string, string>>, user: object): Kubeconfig {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-kubeconfig-'))
  const path = join(folder, 'config')
  const names = Object.keys(servers)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: names.map((name) => ({ name, cluster: { server: servers[name], 'insecure-skip-tls-verify': true } })),
    users: [{ name: 'headgate', user }],
    contexts: names.map((name) => ({ name, context: { cluster: name, user: 'headgate' } })),
    'current-context': names[0],
  }
  writeFileSync(path, JSON.stringify(config))
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
