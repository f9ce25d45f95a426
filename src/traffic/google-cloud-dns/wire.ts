import { z } from 'zod'

// The parts of the REST API v1 that are used, after its discovery document. What is not named here is kept as it came: a
// change replaces a record set whole, and must not lose what somebody else set.

const healthCheckedTargets = z.looseObject({
  externalEndpoints: z.array(z.string()).optional(),
  internalLoadBalancers: z.array(z.looseObject({ ipAddress: z.string().optional() })).optional(),
})

const wrrItem = z.looseObject({
  // The wire format leaves out numbers that are zero.
  weight: z.number().min(0).prefault(0),
  rrdatas: z.array(z.string()).optional(),
  healthCheckedTargets: healthCheckedTargets.optional(),
})

const rrset = z.looseObject({
  name: z.string(),
  type: z.string(),
  ttl: z.int().min(0).prefault(0),
  rrdatas: z.array(z.string()).optional(),
  routingPolicy: z.looseObject({ wrr: z.looseObject({ items: z.array(wrrItem).prefault([]) }).optional() }).optional(),
})

export const rrsetsAnswer = z.object({ rrsets: z.array(rrset).prefault([]), nextPageToken: z.string().optional() })

export const changeAnswer = z.object({
  id: z.string(),
  status: z.enum(['pending', 'done']),
  additions: z.array(z.object({ name: z.string(), type: z.string() })).prefault([]),
})

export const changesAnswer = z.object({ changes: z.array(changeAnswer).prefault([]) })

export const errorAnswer = z.object({
  error: z.object({
    message: z.string().prefault(''),
    errors: z.array(z.object({ reason: z.string().prefault('') })).prefault([]),
  }),
})

export type WrrItem = z.output<typeof wrrItem>
export type Rrset = z.output<typeof rrset>
export type Change = z.output<typeof changeAnswer>

/** Record sets of one name and type; the key by which all else here is kept. */
export function keyOf({ name, type }: { readonly name: string; readonly type: string }): string {
  return `${name.toLowerCase()} ${type}`
}

/** The record set as a change must name it: without the signatures, which are the server's own. */
export function unsigned({ signatureRrdatas: _signatures, ...bare }: Rrset): Rrset {
  const wrr = bare.routingPolicy?.wrr
  if (!bare.routingPolicy || !wrr) return bare
  const items = wrr.items.map(({ signatureRrdatas: _ofItem, ...item }) => item)
  return { ...bare, routingPolicy: { ...bare.routingPolicy, wrr: { ...wrr, items } } }
}

/** How many bytes of values a record set has. */
export function rrdataBytes({ rrdatas = [], routingPolicy }: Rrset): number {
  const items = routingPolicy?.wrr?.items ?? []
  return [rrdatas, ...items.map((item) => item.rrdatas ?? [])].flat().reduce((sum, text) => sum + text.length, 0)
}
