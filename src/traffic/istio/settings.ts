import { z } from 'zod'
import { about, refuse } from '../../shared/schema.ts'
import { clusterKeys, nameOrIndex, objectName, port, refuseEqualSides } from '../kubernetes/settings.ts'

/** A host as a VirtualService names it: a service's name, short or long. */
function host() {
  return z.string().superRefine((text, ctx) => {
    if (!/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text))
      refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no host`, 'write it as the VirtualService does')
  })
}

function destination() {
  return z.union([
    host().transform((text) => ({ host: text, subset: null, port: null })),
    z.strictObject({
      host: host().meta(about('Its host, as the VirtualService writes it', 'checkout.shop.svc.cluster.local')),
      subset: objectName().nullable().prefault(null).meta(about('Its subset of a DestinationRule', 'green')),
      port: port().meta(about('Its port, where the VirtualService says one', 8080)),
    }),
  ])
}

/** One HTTP route of a VirtualService, with its two destinations. */
export const istioSettings = z
  .strictObject({
    ...clusterKeys(),
    virtualService: objectName().meta(about('The name of the VirtualService', 'checkout')),
    route: nameOrIndex().meta(
      about('Which of its http routes, by name, or by place from 0; by default the only one', 'main'),
    ),
    old: destination().meta(about('The destination that leads to the old cluster', 'checkout-blue')),
    new: destination().meta(about('The destination that leads to the new cluster', 'checkout-green')),
  })
  .superRefine(refuseEqualSides)
  .transform(({ settle, ...rest }) => ({ ...rest, settleSeconds: settle }))

export type IstioSettings = z.output<typeof istioSettings>
export type DestinationSettings = IstioSettings['new']
