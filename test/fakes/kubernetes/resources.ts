import { BUILTINS } from './builtins.ts'
import { isMap, type Json } from './json-patch.ts'
import { badRequest } from './status.ts'
import type { ApiObject, ResourceType } from './store.ts'

const MAX_WIDGET_SIZE = 10
const MAX_GATEWAY_WEIGHT = 1_000_000

/** What the fake server knows. */
export const RESOURCES: readonly ResourceType[] = [
  ...BUILTINS,
  { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', isCustom: false, hasStatus: false },
  {
    group: 'test.headgate',
    version: 'v1',
    kind: 'Widget',
    plural: 'widgets',
    isCustom: true,
    hasStatus: true,
    validate: ({ spec }) =>
      isMap(spec) && Number(spec.size) > MAX_WIDGET_SIZE ? ['spec.size', 'should be less than or equal to 10'] : null,
  },
  gatewayRoute('HTTPRoute', 'httproutes'),
  gatewayRoute('GRPCRoute', 'grpcroutes'),
  {
    group: 'networking.istio.io',
    version: 'v1',
    kind: 'VirtualService',
    plural: 'virtualservices',
    isCustom: true,
    hasStatus: true,
    validate: ({ spec }) => {
      for (const { route } of maps(spec, 'http')) {
        const weights = Array.isArray(route) ? route.filter(isMap).map(({ weight }) => weight ?? 0) : []
        if (weights.length > 1 && weights.every((weight) => weight === 0))
          return badRequest(
            'admission webhook "validation.istio.io" denied the request: configuration is invalid: total destination weight = 0',
          )
        if (weights.some((weight) => !Number.isInteger(weight) || Number(weight) < 0))
          return badRequest('admission webhook "validation.istio.io" denied the request: weight < 0')
      }
      return null
    },
  },
]

function gatewayRoute(kind: string, plural: string): ResourceType {
  return {
    group: 'gateway.networking.k8s.io',
    version: 'v1',
    kind,
    plural,
    isCustom: true,
    hasStatus: true,
    validate: ({ spec }) => {
      for (const rule of maps(spec, 'rules')) {
        for (const { weight = 1, port, kind: of = 'Service' } of maps(rule, 'backendRefs')) {
          if (!Number.isInteger(weight) || Number(weight) < 0 || Number(weight) > MAX_GATEWAY_WEIGHT)
            return ['spec.rules[0].backendRefs[0].weight', 'must be between 0 and 1000000']
          if (of === 'Service' && port === undefined)
            return ['spec.rules[0].backendRefs[0]', 'Must have port for Service reference']
        }
      }
      return null
    },
  }
}

function maps(parent: Json | undefined, key: string): readonly { [key: string]: Json }[] {
  const list = isMap(parent) ? parent[key] : undefined
  return Array.isArray(list) ? list.filter(isMap) : []
}

/** What a Gateway's controller says that serves every generation at once. */
export function acceptedBy(...gateways: readonly string[]): (object: ApiObject) => Json {
  return ({ metadata: { generation } }) => ({
    parents: gateways.map((name) => ({
      parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name },
      controllerName: 'example.com/gateway',
      conditions: ['Accepted', 'ResolvedRefs'].map((type) => ({
        type,
        status: 'True',
        reason: type,
        message: '',
        observedGeneration: generation ?? null,
        lastTransitionTime: '2026-01-01T00:00:00Z',
      })),
    })),
  })
}
