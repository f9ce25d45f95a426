import type { Change, HealthCheck, ResourceRecordSet, Route53, RRType } from '@aws-sdk/client-route-53'
import { z } from 'zod'
import { problem } from '../../core/problem.ts'
import type { Quota, QuotaUse } from '../../ports/quota.ts'
import type { AwsLease } from '../../shared/aws.ts'
import { AwsFailure, badAwsAnswer, callAws } from '../aws-call.ts'
import { escapedName } from './names.ts'

/** As many as Route 53 gives at a time. */
const PAGE_SIZE = 300

/** Where a list begins. */
export interface ListStart {
  /** Plain. */
  readonly name: string
  readonly type?: RRType | undefined
  readonly setIdentifier?: string | undefined
}

export interface Page {
  readonly sets: readonly ResourceRecordSet[]
  /** Where the next page begins; null: this was the last. */
  readonly next: { readonly wireName: string; readonly type: RRType; readonly setIdentifier: string | undefined } | null
}

/** What a call is made for. */
export interface Calling {
  readonly use: QuotaUse
  readonly signal: AbortSignal
}

/** The calls to one hosted zone. None rejects; all but `change` take from the quota themselves. */
export class ZoneApi {
  readonly #zone: string
  readonly #lease: AwsLease<Route53>
  readonly #quota: Quota

  constructor(zone: string, lease: AwsLease<Route53>, quota: Quota) {
    this.#zone = zone
    this.#lease = lease
    this.#quota = quota
  }

  /** One page of records. */
  list(start: ListStart, calling: Calling): Promise<Page | AwsFailure> {
    return this.#counted('ListResourceRecordSets', calling, async (client, abortSignal) => {
      const answer = await client.listResourceRecordSets(
        {
          HostedZoneId: this.#zone,
          MaxItems: PAGE_SIZE,
          StartRecordName: escapedName(start.name),
          StartRecordType: start.type,
          StartRecordIdentifier: start.setIdentifier,
        },
        { abortSignal },
      )
      const {
        ResourceRecordSets: sets = [],
        IsTruncated,
        NextRecordName,
        NextRecordType,
        NextRecordIdentifier,
      } = answer
      // The SDK takes any well-formed XML for an empty answer, a proxy's login page too.
      if (IsTruncated === undefined) throw badAwsAnswer('Route 53 answered ListResourceRecordSets with something else')
      if (!IsTruncated) return { sets, next: null }
      if (NextRecordName === undefined || NextRecordType === undefined)
        throw badAwsAnswer('Route 53 does not say where the next page of records begins')
      return { sets, next: { wireName: NextRecordName, type: NextRecordType, setIdentifier: NextRecordIdentifier } }
    })
  }

  /** Makes all changes or none; resolves with the id of the change. Its turn was taken by who called `write`. */
  change(changes: readonly Change[], signal: AbortSignal): Promise<string | AwsFailure> {
    return this.#call('ChangeResourceRecordSets', signal, async (client) => {
      const batch = { HostedZoneId: this.#zone, ChangeBatch: { Comment: 'Headgate', Changes: [...changes] } }
      const { ChangeInfo } = await client
        .changeResourceRecordSets(batch, { abortSignal: signal })
        .catch((error: unknown) => Promise.reject(withName(error)))
      if (ChangeInfo?.Id === undefined)
        throw badAwsAnswer('Route 53 answered ChangeResourceRecordSets with something else')
      return ChangeInfo.Id
    })
  }

  /** Whether all servers have a change. */
  isInSync(changeId: string, calling: Calling): Promise<boolean | AwsFailure> {
    return this.#counted('GetChange', calling, async (client, abortSignal) => {
      const { ChangeInfo } = await client.getChange({ Id: changeId }, { abortSignal })
      const status = ChangeInfo?.Status
      if (status !== 'PENDING' && status !== 'INSYNC')
        throw badAwsAnswer('Route 53 answered GetChange with something else')
      return status === 'INSYNC'
    })
  }

  healthCheck(id: string, calling: Calling): Promise<HealthCheck | AwsFailure> {
    return this.#counted('GetHealthCheck', calling, async (client, abortSignal) => {
      const { HealthCheck } = await client.getHealthCheck({ HealthCheckId: id }, { abortSignal })
      if (HealthCheck?.Id === undefined) throw badAwsAnswer('Route 53 answered GetHealthCheck with something else')
      return HealthCheck
    })
  }

  async #counted<Answer>(
    action: string,
    { use, signal }: Calling,
    send: (client: Route53, signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer | AwsFailure> {
    if (await this.#quota.take(use, signal)) return this.#call(action, signal, send)
    const cause = "the quota of Route 53's account did not allow a call within the deadline"
    return new AwsFailure('', '', problem('TRAFFIC_TIMEOUT', cause))
  }

  #call<Answer>(
    action: string,
    signal: AbortSignal,
    send: (client: Route53, signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer | AwsFailure> {
    const call = { service: 'Route 53', action: `route53:${action}`, quota: this.#quota, signal }
    return callAws(call, async () => send(await this.#lease.client(), signal))
  }
}

/**
 * Route 53 refuses a batch in one of two forms (API reference, ChangeResourceRecordSets): as all errors of AWS, and as a bare list
 * of messages, to which the SDK gives no name.
 */
function withName(error: unknown): unknown {
  const list = listedMessages.safeParse(error)
  if (!list.success) return error
  const { Messages, $metadata } = list.data
  return Object.assign(new Error('', { cause: error }), {
    name: 'InvalidChangeBatch',
    messages: [Messages.Message].flat(),
    $metadata,
  })
}

const listedMessages = z.object({
  name: z.literal('Unknown'),
  Messages: z.object({ Message: z.union([z.string(), z.array(z.string())]) }),
  $metadata: z.object({ httpStatusCode: z.number() }),
})
