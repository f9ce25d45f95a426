import type { fromNodeProviderChain } from '@aws-sdk/credential-providers'
import { z } from 'zod'
import { about, refuse } from './schema.ts'

/** A connection that does not come about within that is given up, ms. */
const CONNECTION_TIMEOUT_MS = 3_000
/** No answer within that is none, ms: what a caller's signal does not end, this does. */
const REQUEST_TIMEOUT_MS = 15_000

/** The keys that the account schemas of all AWS kinds have; each adds its region and its quotas. */
export function awsAccountKeys() {
  return {
    role: z
      .strictObject({
        arn: z
          .string()
          .superRefine((text, ctx) => {
            if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(text))
              refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no ARN of a role`, 'write arn:aws:iam::ACCOUNT:role/NAME')
          })
          .meta(about('Its ARN', 'arn:aws:iam::123456789012:role/headgate')),
        externalId: z
          .string()
          .regex(/^[\w+=,.@:/-]{2,1224}$/)
          .optional()
          .meta(about("What the role's trust policy wants as external id", 'headgate-prod')),
      })
      .optional()
      .meta(about('The role to assume with the credentials found', { arn: 'arn:aws:iam::123456789012:role/headgate' })),
    endpoint: z
      .string()
      .superRefine((text, ctx) => {
        const url = URL.parse(text)
        if (!url || !['http:', 'https:'].includes(url.protocol))
          refuse(ctx, 'CONFIG_WRONG_VALUE', 'this is no http:// or https:// URL')
        else if (url.username !== '' || url.password !== '')
          refuse(ctx, 'CONFIG_SECRET_LITERAL', 'this URL has credentials in it', 'AWS finds its credentials elsewhere')
      })
      .optional()
      .meta(about('Where the API answers, instead of the public endpoint', 'https://vpce-0a1b.example.com')),
  }
}

/** A region's name. */
export function awsRegion() {
  return z.string().superRefine((text, ctx) => {
    if (!/^[a-z]{2,}(?:-[a-z]+)+-\d+$/.test(text))
      refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no region`, 'write one as eu-central-1')
  })
}

/** What a client needs to know of an account. */
export interface AwsAccount {
  readonly region: string
  readonly role?: { readonly arn: string; readonly externalId?: string | undefined } | undefined
  readonly endpoint?: string | undefined
}

/** What tells one account from another, for the name of a quota. */
export function awsAccountName({ role }: AwsAccount): string {
  return role?.arn ?? 'default'
}

/** What every client of an AWS SDK is made with. */
export interface AwsClientOptions {
  readonly region: string
  readonly credentials: ReturnType<typeof fromNodeProviderChain>
  /** Headgate owns the retries: the SDK knows nothing of reverts. */
  readonly maxAttempts: 1
  readonly requestHandler: Readonly<{
    connectionTimeout: number
    requestTimeout: number
    throwOnRequestTimeout: true
  }>
  readonly endpoint?: string
}

/** One scope's hold on its account's client. */
export interface AwsLease<Client> {
  /** The client, made at the first call. Rejects when it cannot be made. */
  client(): Promise<Client>
  /** Ends the client and its connections, once no scope of the account holds it. */
  close(): void
}

/**
 * One client for each account (the very object), shared by its scopes: so are its connections and its temporary
 * credentials, and a hundred zones assume their role once.
 */
export class AwsClients<Client extends { destroy(): void }> {
  readonly #make: (options: AwsClientOptions) => Promise<Client>
  readonly #shared = new WeakMap<AwsAccount, Shared<Client>>()

  /** `make` imports the SDK lazily. */
  constructor(make: (options: AwsClientOptions) => Promise<Client>) {
    this.#make = make
  }

  lease(account: AwsAccount): AwsLease<Client> {
    const shared = this.#shared.get(account) ?? { holders: 0, client: null }
    this.#shared.set(account, shared)
    shared.holders += 1
    let isHeld = true
    return {
      client: () => {
        shared.client ??= this.#open(account, shared)
        return shared.client
      },
      close: () => {
        if (!isHeld) return
        isHeld = false
        shared.holders -= 1
        if (shared.holders > 0) return
        const { client } = shared
        shared.client = null
        // A client that could not be made has nothing to end; who asked for it was told why.
        client?.then(
          (one) => one.destroy(),
          () => {},
        )
      },
    }
  }

  async #open(account: AwsAccount, shared: Shared<Client>): Promise<Client> {
    try {
      return await this.#make(await clientOptions(account))
    } catch (error) {
      // The next call tries again.
      shared.client = null
      throw error
    }
  }
}

interface Shared<Client> {
  holders: number
  client: Promise<Client> | null
}

const REQUEST_HANDLER = {
  connectionTimeout: CONNECTION_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  throwOnRequestTimeout: true,
} as const

async function clientOptions({ region, role, endpoint }: AwsAccount): Promise<AwsClientOptions> {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await import('@aws-sdk/credential-providers')
  const clientConfig = { region, maxAttempts: 1, requestHandler: REQUEST_HANDLER } as const
  const found = fromNodeProviderChain({ clientConfig })
  const assumed =
    role &&
    fromTemporaryCredentials({
      masterCredentials: found,
      clientConfig,
      params: {
        RoleArn: role.arn,
        RoleSessionName: 'headgate',
        ...(role.externalId !== undefined && { ExternalId: role.externalId }),
      },
    })
  return {
    region,
    credentials: assumed ? () => assumed() : found,
    maxAttempts: 1,
    requestHandler: REQUEST_HANDLER,
    ...(endpoint !== undefined && { endpoint }),
  }
}
