import { z } from 'zod'
import type { Privilege } from '../ports/kind.ts'
import type { QuotaLimits } from '../ports/quota.ts'
import { about, refuse, secretReference } from '../shared/schema.ts'
import { endpoint, quota } from './account.ts'

/** Azure Resource Manager in the public cloud. */
export const PUBLIC_ENDPOINT = 'https://management.azure.com'
const PUBLIC_AUTHORITY = 'https://login.microsoftonline.com'

/** A subscription, and who Headgate is there. */
export function azureAccount(quotaDefaults: QuotaLimits) {
  return z
    .strictObject({
      subscription: guid().meta(about('The id of the subscription', '0b1f6471-1bf0-4dda-aec3-cb9272f09590')),
      credentials: z
        .strictObject({
          tenant: guid().meta(about('The id of the Entra tenant', 'aaaabbbb-0000-cccc-1111-dddd2222eeee')),
          clientId: guid().meta(about("The application's id", '00001111-aaaa-2222-bbbb-3333cccc4444')),
          clientSecret: secretReference().meta(about('Its secret', '${env:AZURE_CLIENT_SECRET}')),
        })
        .optional()
        .meta(about('An application and its secret; left out: whatever DefaultAzureCredential finds')),
      token: secretReference()
        .optional()
        .meta(about('A bearer token that somebody else keeps fresh, instead of credentials', '${file:/run/arm/token}')),
      authority: endpoint(PUBLIC_AUTHORITY).meta(about('Who issues tokens: another one in a sovereign cloud')),
      endpoint: endpoint(PUBLIC_ENDPOINT),
      quota: quota(quotaDefaults),
    })
    .superRefine((account, ctx) => {
      if (account.credentials && account.token)
        refuse(ctx, 'CONFIG_DUPLICATE', 'there are both credentials and a token', 'keep one of them')
      if (!account.authority.startsWith('https:'))
        refuse(ctx, 'CONFIG_WRONG_VALUE', 'authority is no https:// URL', 'secrets go over TLS')
      if (!account.endpoint.startsWith('https:') && !isThisMachine(account.endpoint))
        refuse(ctx, 'CONFIG_WRONG_VALUE', 'endpoint is no https:// URL', 'tokens go over TLS, save to this machine')
    })
}

export type AzureAccount = z.output<ReturnType<typeof azureAccount>>

/** A name of a resource, as it becomes part of a path. */
export function azureName() {
  return z.string().superRefine((text, ctx) => {
    if (!/^[^\p{C}<>*%&:\\?+/#]{1,260}$/u.test(text) || /^\.+$/.test(text))
      refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no name that Azure takes`, 'write the name, not the resource id')
  })
}

/** Azure doesn't tell `Checkout` from `checkout`. */
export function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

/** A custom role that may do this in these resource groups, as `az role definition create` takes it. */
export function customRole(
  role: { readonly name: string; readonly description: string; readonly actions: readonly string[] },
  { subscription }: AzureAccount,
  resourceGroups: readonly string[],
): Privilege {
  return {
    title: `Azure custom role of the identity that Headgate runs with: ${role.name}`,
    format: 'json',
    document: {
      Name: role.name,
      IsCustom: true,
      Description: role.description,
      Actions: [...role.actions],
      NotActions: [],
      AssignableScopes: [...new Set(resourceGroups)].map(
        (name) => `/subscriptions/${subscription}/resourceGroups/${name}`,
      ),
    },
  }
}

function guid() {
  return z.string().superRefine((text, ctx) => {
    if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text))
      refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no id`, 'write 32 hexadecimal digits with hyphens')
  })
}

function isThisMachine(url: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname)
}
