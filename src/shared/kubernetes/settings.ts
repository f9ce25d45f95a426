import { z } from 'zod'
import { refuse } from '../schema.ts'

/** Field types that all settings of Kubernetes share. Describe each with `.meta(about(…))` where it is used. */

/** The path of a kubeconfig; null: see KubernetesPlace. */
export function kubeconfigPath() {
  return z
    .string()
    .superRefine((text, ctx) => {
      if (!/^\/[^\p{C}]+$/u.test(text)) refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no absolute path`)
    })
    .nullable()
    .prefault(null)
}

/** A kubeconfig's context; null: its current one. */
export function contextName() {
  return z
    .string()
    .superRefine((text, ctx) => {
      if (!/^[^\p{C}]{1,253}$/u.test(text))
        refuse(ctx, 'CONFIG_WRONG_VALUE', 'this is no name of a context', 'use 1 to 253 printable characters')
    })
    .nullable()
    .prefault(null)
}

/** The name of an object or namespace: it becomes part of a URL. */
export function objectName() {
  return z.string().superRefine((text, ctx) => {
    if (!/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(text))
      refuse(ctx, 'CONFIG_WRONG_VALUE', `"${text}" is no name of an object`, 'use small letters, digits, - and .')
  })
}
