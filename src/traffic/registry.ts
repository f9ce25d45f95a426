import type { TrafficKind } from '../ports/traffic.ts'
import { haproxy } from './haproxy/kind.ts'
import { http } from './http/kind.ts'

/** Every kind of traffic provider that a config can name. */
export const trafficKinds: readonly TrafficKind[] = [haproxy, http]
