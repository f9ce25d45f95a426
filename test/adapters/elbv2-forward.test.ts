import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { forwardOf, withWeights } from '../../src/traffic/elbv2/forward.ts'
import { elbWeights } from '../../src/traffic/elbv2/weights.ts'
import { sharePercent } from '../../src/traffic/ratio.ts'
import { groupArn } from '../fakes/elbv2.ts'

const NAMES = { old: 'blue', new: 'green' }
const ARNS = { old: groupArn('blue'), new: groupArn('green') }

const sticky = fc.option(fc.record({ Enabled: fc.boolean(), DurationSeconds: fc.integer({ min: 1, max: 604_800 }) }), {
  nil: undefined,
})
const weight = fc.integer({ min: 0, max: 999 })
const groups = fc
  .tuple(fc.shuffledSubarray([ARNS.old, ARNS.new], { minLength: 1 }), weight, weight)
  .map(([arns, ...weights]) => arns.map((arn, index) => ({ TargetGroupArn: arn, Weight: weights[index] })))
const forward: fc.Arbitrary<Action> = fc.oneof(
  fc.constantFrom(ARNS.old, ARNS.new).map((TargetGroupArn) => ({ Type: 'forward', TargetGroupArn }) as const),
  fc
    .record({ TargetGroups: groups, TargetGroupStickinessConfig: sticky })
    .map((ForwardConfig) => ({ Type: 'forward', ForwardConfig }) as const),
)
const before: fc.Arbitrary<Action> = fc.oneof(
  fc.constant({
    Type: 'authenticate-oidc',
    AuthenticateOidcConfig: {
      ...{ Issuer: 'i', AuthorizationEndpoint: 'a', TokenEndpoint: 't', UserInfoEndpoint: 'u', ClientId: 'c' },
    },
  } as const),
  fc.string().map(
    (domain) =>
      ({
        Type: 'authenticate-cognito',
        AuthenticateCognitoConfig: { UserPoolArn: 'p', UserPoolClientId: 'c', UserPoolDomain: domain },
      }) as const,
  ),
  fc
    .string()
    .map((JwksEndpoint) => ({ Type: 'jwt-validation', JwtValidationConfig: { JwksEndpoint, Issuer: 'i' } }) as const),
)
const lists = fc
  .tuple(fc.array(before, { maxLength: 3 }), forward)
  .map(([first, last]) => [...first, last].map((action, index) => ({ ...action, Order: index + 1 })))

test('a list of actions with new weights has that share, and is otherwise as it was', () => {
  fc.assert(
    fc.property(lists, fc.integer({ min: 0, max: 1000 }), (actions, permille) => {
      const found = forwardOf('here', actions, NAMES)
      const weights = elbWeights(permille / 10)
      if (found instanceof Problem || weights === null) throw new Error('this list and weight are good')
      const next = withWeights(found, ARNS, weights)
      const again = forwardOf('here', next, NAMES)
      if (again instanceof Problem) throw again

      expect(sharePercent(again.weights)).toBe(permille / 10)
      expect(again.weights.old === 0).toBe(permille === 1000)
      expect(again.stickySeconds).toBe(found.stickySeconds)
      expect(next.map(({ Type, Order }) => [Type, Order])).toEqual(actions.map(({ Type, Order }) => [Type, Order]))
      expect(next.filter(({ Type }) => Type !== 'forward')).toEqual(
        actions.filter(({ Type }) => Type !== 'forward').map(withLeaveToKeepTheSecret),
      )
      // AWS refuses it beside two groups.
      expect(next.some((action) => action.TargetGroupArn !== undefined)).toBe(false)
    }),
  )
})

function withLeaveToKeepTheSecret(action: Action): Action {
  const { AuthenticateOidcConfig: config } = action
  return config ? { ...action, AuthenticateOidcConfig: { ...config, UseExistingClientSecret: true } } : action
}
