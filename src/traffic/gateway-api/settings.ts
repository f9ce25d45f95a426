import { z } from 'zod'
import { about } from '../../shared/schema.ts'
import { clusterKeys, nameOrIndex, objectName, port, refuseEqualSides } from '../kubernetes/settings.ts'

/** A group or kind of a backend. */
function word() {
  return z.string().regex(/^[A-Za-z0-9.-]{0,253}$/)
}

/** A name that a header may have, and a route may match. */
function headerName() {
  return z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/)
}

function headerValue() {
  return z.string().regex(/^[!-~]{1,256}$/)
}

function backend() {
  return z.union([
    objectName().transform((name) => ({ name, namespace: null, group: '', kind: 'Service', port: null })),
    z.strictObject({
      name: objectName().meta(about('Its name', 'checkout-green')),
      namespace: objectName().nullable().prefault(null).meta(about("Its namespace; by default the route's", 'shop')),
      group: word().prefault('').meta(about('Its API group; empty for a Service', 'multicluster.x-k8s.io')),
      kind: word().prefault('Service').meta(about('Its kind', 'ServiceImport')),
      port: port().meta(about('Its port; lets Headgate add a backend that the rule does not have yet', 8080)),
    }),
  ])
}

/** One rule of an HTTPRoute or GRPCRoute, with its two backends. */
export const gatewayApiSettings = z
  .strictObject({
    ...clusterKeys(),
    route: objectName().meta(about('The name of the route', 'checkout')),
    kind: z.enum(['HTTPRoute', 'GRPCRoute']).prefault('HTTPRoute').meta(about('The kind of the route', 'GRPCRoute')),
    rule: nameOrIndex().meta(about('Which of its rules, by name, or by place from 0; by default the only one', 'main')),
    old: backend().meta(about('The backend that leads to the old cluster', 'checkout-blue')),
    new: backend().meta(about('The backend that leads to the new cluster', 'checkout-green')),
    marked: z
      .strictObject({
        header: headerName().prefault('x-headgate').meta(about('The name of the header', 'x-headgate')),
        value: headerValue().prefault('new').meta(about('Its value', 'new')),
      })
      .prefault({})
      .meta(about('The header of the requests that the step "marked" sends to the new cluster', { value: 'new' })),
  })
  .superRefine(refuseEqualSides)
  .transform(({ settle, ...rest }) => ({ ...rest, settleSeconds: settle }))

export type GatewayApiSettings = z.output<typeof gatewayApiSettings>
export type BackendSettings = GatewayApiSettings['new']
