import type { ServerResponse } from 'node:http'
import type { LoadBalancer } from 'cloudflare/resources/load-balancers/load-balancers'
import { startWebServer, type WebRequest } from '../support/web-server.ts'

export type { LoadBalancer }

export interface Cloudflare {
  /** What `endpoint` is to be. */
  readonly url: string
  readonly requests: readonly WebRequest[]
  /** By id. */
  readonly balancers: Map<string, LoadBalancer>
  /** Answers instead of the API what this says something to; null: the API answers. */
  instead: ((request: WebRequest, response: ServerResponse) => boolean) | null
  stop(): Promise<void>
}

/** The part of Cloudflare's API, v4, that Headgate uses, in the types of its official library. */
export async function startCloudflare(place: { zone: string; token: string }): Promise<Cloudflare> {
  const server = await startWebServer((response, request) => {
    if (fake.instead?.(request, response)) return
    if (request.headers.authorization !== `Bearer ${place.token}`)
      return refuse(response, 403, 10_000, 'Authentication error')
    const [zones, zone, collection, id] = request.url.split('/').slice(3)
    if (zones !== 'zones' || zone !== place.zone || collection !== 'load_balancers')
      return refuse(
        response,
        404,
        7003,
        `Could not route to ${request.url}, perhaps your object identifier is invalid?`,
      )
    if (id === undefined && request.method === 'GET') return succeed(response, [...fake.balancers.values()])
    const balancer = fake.balancers.get(id ?? '')
    if (!balancer) return refuse(response, 404, 1001, 'load balancer not found')
    if (request.method === 'GET') return succeed(response, balancer)
    if (request.method === 'PATCH') return patch(fake, response, balancer, JSON.parse(request.body))
    refuse(response, 405, 10_405, 'Method not allowed')
  })
  const fake: Cloudflare = {
    url: `${server.url}/client/v4`,
    requests: server.requests,
    balancers: new Map(),
    instead: null,
    stop: server.stop,
  }
  return fake
}

/** Replaces the properties that are named, each as a whole. */
function patch(fake: Cloudflare, response: ServerResponse, balancer: LoadBalancer, body: LoadBalancer) {
  const weights = [
    ...Object.values(body.random_steering?.pool_weights ?? {}),
    body.random_steering?.default_weight ?? 1,
  ]
  const isStep = (weight: number) => Math.abs(weight * 100 - Math.round(weight * 100)) < 1e-9
  if (weights.some((weight) => weight < 0 || weight > 1 || !isStep(weight)))
    return refuse(response, 400, 1002, 'random_steering.pool_weights: weight must be between 0 and 1')
  if (body.ttl !== undefined && balancer.proxied === true)
    return refuse(response, 400, 1002, 'ttl: must not be set when proxied')
  const after = { ...balancer, ...body, modified_on: '2026-01-01T00:00:01Z' }
  fake.balancers.set(balancer.id ?? '', after)
  succeed(response, after)
}

function succeed(response: ServerResponse, result: LoadBalancer | readonly LoadBalancer[]): void {
  reply(response, 200, { success: true, errors: [], messages: [], result })
}

export function refuse(response: ServerResponse, status: number, code: number, message: string): void {
  reply(response, status, { success: false, errors: [{ code, message }], messages: [], result: null })
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
