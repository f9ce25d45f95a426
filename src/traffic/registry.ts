import type { TrafficKind } from '../ports/traffic.ts'
import { azureFrontDoor } from './azure-front-door/kind.ts'
import { azureTrafficManager } from './azure-traffic-manager/kind.ts'
import { cloudflare } from './cloudflare/kind.ts'
import { elbv2 } from './elbv2/kind.ts'
import { gatewayApi } from './gateway-api/kind.ts'
import { googleCloudDns } from './google-cloud-dns/kind.ts'
import { haproxy } from './haproxy/kind.ts'
import { http } from './http/kind.ts'
import { istio } from './istio/kind.ts'
import { powerdns } from './powerdns/kind.ts'
import { route53 } from './route53/kind.ts'

/** Every kind of traffic provider that a config can name. */
export const trafficKinds: readonly TrafficKind[] = [
  azureFrontDoor,
  azureTrafficManager,
  cloudflare,
  elbv2,
  gatewayApi,
  googleCloudDns,
  haproxy,
  http,
  istio,
  powerdns,
  route53,
]
