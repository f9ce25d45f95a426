import type { TrafficKind } from '../../ports/traffic.ts'
import { kubernetesClients } from '../../shared/kubernetes/clients.ts'
import { rolesFor } from '../kubernetes/privileges.ts'
import { RouteScope } from '../kubernetes/scope.ts'
import { type KubernetesAccount, kubernetesAccount } from '../kubernetes/settings.ts'
import { resourceOf, virtualService } from './route.ts'
import { type IstioSettings, istioSettings } from './settings.ts'

/** Weights of a VirtualService's destinations. A scope is one VirtualService, a place one of its http routes. */
export const istio: TrafficKind<IstioSettings, KubernetesAccount> = {
  kind: 'istio',
  settings: istioSettings,
  account: kubernetesAccount,
  scopeOf: ({ context, namespace, virtualService: name }) =>
    [...(context === null ? [] : [context]), namespace, name].join('/'),
  placeOf: ({ virtualService: name, route }) => (route === null ? name : `${name}/${route}`),
  timingOf: ({ settleSeconds }) => ({ propagationSeconds: settleSeconds, movingTtlSeconds: null }),
  nearestWeights: (weightPercent) => [weightPercent],
  privilegesFor: (targets) =>
    rolesFor(targets.map(({ settings }) => ({ context: settings.context, resource: resourceOf(settings) }))),
  open(targets, { kubeconfig }) {
    const context = targets[0]?.settings.context ?? null
    return new RouteScope(virtualService, targets, kubernetesClients.lease({ kubeconfig, context }))
  },
}
