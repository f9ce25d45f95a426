import { existsSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
import { codeOf, KubernetesFailure } from './failure.ts'

/** Which cluster, and as whom. */
export interface KubernetesPlace {
  /** A kubeconfig's absolute path; null: the pod's own service account, else KUBECONFIG, else ~/.kube/config. */
  readonly kubeconfig: string | null
  /** A context of the kubeconfig; null: its current one. A named context is never the pod's own cluster. */
  readonly context: string | null
}

/** What one request needs to reach its server. */
export interface Connection {
  readonly server: string
  readonly proxy: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly tls: Tls
  /** What must not be told to anybody. */
  readonly secrets: readonly string[]
}

export type Tls = Pick<
  RequestOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'servername' | 'rejectUnauthorized'
>

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/** Reads the kubeconfig. Throws a KubernetesFailure. */
export async function loadConfig({ kubeconfig, context }: KubernetesPlace): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const isInCluster = process.env.KUBERNETES_SERVICE_HOST !== undefined && existsSync(SERVICE_ACCOUNT_TOKEN)
  try {
    if (kubeconfig !== null) config.loadFromFile(kubeconfig)
    else if (context === null && isInCluster) config.loadFromCluster()
    else config.loadFromDefault()
  } catch (error) {
    // The parser's message repeats the lines around a mistake, and a token may be in them.
    const place = kubeconfig ?? 'the kubeconfig'
    throw new KubernetesFailure('no-credentials', `${place} cannot be read: ${codeOf(error)}`)
  }
  if (context !== null) {
    if (config.getContextObject(context) === null)
      throw new KubernetesFailure('no-credentials', `the kubeconfig has no context ${context}`)
    config.setCurrentContext(context)
  }
  // Where it finds nothing, the library makes up a server on localhost.
  if (config.getCurrentContext() === 'loaded-context')
    throw new KubernetesFailure('no-credentials', 'there is no kubeconfig, and this is no pod of a cluster')
  return config
}

/** What the next request needs: tokens and certificates are those of now. Throws a KubernetesFailure. */
export async function connectionOf(config: KubeConfig): Promise<Connection> {
  const cluster = config.getCurrentCluster()
  if (!cluster?.server)
    throw new KubernetesFailure(
      'no-credentials',
      `the kubeconfig's context ${config.getCurrentContext()} has no server`,
    )
  if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify)
    throw new KubernetesFailure(
      'no-credentials',
      'the server is http://, where credentials can be overheard; only with insecure-skip-tls-verify is it used',
    )
  if (cluster.proxyUrl?.startsWith('socks'))
    throw new KubernetesFailure('no-credentials', 'SOCKS proxies of a kubeconfig are not supported; use an HTTP proxy')
  const options: RequestOptions = { headers: {} }
  try {
    await config.applyToHTTPSOptions(options)
  } catch (error) {
    // What a credential plugin says may be a credential.
    throw new KubernetesFailure('no-credentials', `the kubeconfig's user gives no credentials: ${codeOf(error)}`)
  }
  const headers = headersOf(options)
  const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options
  const tls = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }
  return {
    server: cluster.server.replace(/\/+$/, ''),
    proxy: cluster.proxyUrl ?? null,
    headers,
    tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
    secrets: Object.entries(headers).flatMap(([name, value]) =>
      name === 'authorization' ? [value, value.replace(/^\w+ /, '')] : [],
    ),
  }
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const given = Object.entries(headers ?? {}).map(
    ([name, value]) => [name.toLowerCase(), String(value).trim()] as const,
  )
  const basic = typeof auth === 'string' ? `Basic ${Buffer.from(auth).toString('base64')}` : null
  return { ...Object.fromEntries(given), ...(basic !== null && { authorization: basic }) }
}
