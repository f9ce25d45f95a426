import type { TrafficKind } from '../../ports/traffic.ts'
import type { AwsAccount } from '../../shared/aws.ts'
import { ElbApi } from './api.ts'
import { elbPlaceOf } from './place.ts'
import { privilegesFor } from './privileges.ts'
import { Elbv2Scope } from './scope.ts'
import { type Elbv2Account, type Elbv2Settings, elbv2Account, elbv2Settings } from './settings.ts'
import { nearestWeights } from './weights.ts'

/** Weighted target groups of ALBs and NLBs. A scope and a place are one listener rule, or one listener's default action. */
export const elbv2: TrafficKind<Elbv2Settings, Elbv2Account> = {
  kind: 'elbv2',
  settings: elbv2Settings,
  account: elbv2Account,
  scopeOf: ({ arn }) => arn,
  placeOf: ({ arn }) => arn,
  timingOf: ({ settleSeconds }) => ({ propagationSeconds: settleSeconds, movingTtlSeconds: null }),
  nearestWeights,
  privilegesFor,
  open([target], account, context) {
    const place = target && elbPlaceOf(target.settings.arn)
    if (!place) throw new Error('a scope is opened with at least one target')
    // AWS counts calls by account and region, and the ARN tells both, whoever makes the call.
    const quota = context.quotas.of(`elbv2:${place.accountId}:${place.region}`, account.quota)
    return new Elbv2Scope(place, target, new ElbApi(inRegion(account, place.region), quota), quota, context)
  },
}

const regions = new WeakMap<Elbv2Account, Map<string, AwsAccount>>()

/** The same object for the same account and region: clients are shared by it. */
function inRegion(account: Elbv2Account, region: string): AwsAccount {
  const known = regions.get(account) ?? new Map<string, AwsAccount>()
  regions.set(account, known)
  const one = known.get(region) ?? { region, role: account.role, endpoint: account.endpoint }
  known.set(region, one)
  return one
}
