import type { TrafficKind } from '../../ports/traffic.ts'
import { kubernetesClients } from '../../shared/kubernetes/clients.ts'
import { rolesFor } from '../kubernetes/privileges.ts'
import { RouteScope } from '../kubernetes/scope.ts'
import { type KubernetesAccount, kubernetesAccount } from '../kubernetes/settings.ts'
import { gatewayRoute, resourceOf } from './route.ts'
import { type GatewayApiSettings, gatewayApiSettings } from './settings.ts'
import { gatewayTrials } from './trial.ts'

/** Weights of an HTTPRoute's or GRPCRoute's backends. A scope is one route, a place one of its rules. */
export const gatewayApi: TrafficKind<GatewayApiSettings, KubernetesAccount> = {
  kind: 'gateway-api',
  settings: gatewayApiSettings,
  account: kubernetesAccount,
  scopeOf: ({ context, namespace, kind, route }) =>
    [...(context === null ? [] : [context]), namespace, kind, route].join('/'),
  placeOf: ({ route, rule }) => (rule === null ? route : `${route}/${rule}`),
  timingOf: ({ settleSeconds }) => ({ propagationSeconds: settleSeconds, movingTtlSeconds: null }),
  trials: ['marked', 'mirror'],
  nearestWeights: (weightPercent) => [weightPercent],
  privilegesFor: (targets) =>
    rolesFor(targets.map(({ settings }) => ({ context: settings.context, resource: resourceOf(settings) }))),
  open(targets, { kubeconfig }) {
    const context = targets[0]?.settings.context ?? null
    return new RouteScope(
      { ...gatewayRoute, trials: gatewayTrials },
      targets,
      kubernetesClients.lease({ kubeconfig, context }),
    )
  },
}
