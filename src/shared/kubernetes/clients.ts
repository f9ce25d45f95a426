import { KubernetesClient } from './client.ts'
import type { KubernetesPlace } from './config.ts'

/** A hold on a client that others may hold too. */
export interface ClientLease {
  readonly client: KubernetesClient
  /** Closes the client, once nobody holds it. */
  close(): Promise<void>
}

/**
 * One client a place, shared by all who hold it: so are its connections, and a credential plugin runs once for five
 * hundred routes.
 */
export class KubernetesClients {
  readonly #held = new Map<string, { readonly client: KubernetesClient; holders: number }>()

  lease(place: KubernetesPlace): ClientLease {
    const name = JSON.stringify([place.kubeconfig, place.context])
    const held = this.#held.get(name) ?? { client: new KubernetesClient(place), holders: 0 }
    this.#held.set(name, held)
    held.holders += 1
    let isHeld = true
    return {
      client: held.client,
      close: async () => {
        if (!isHeld) return
        isHeld = false
        held.holders -= 1
        if (held.holders > 0) return
        this.#held.delete(name)
        await held.client.close()
      },
    }
  }
}

/** The clients of all who talk to API servers; each is closed with the last one that holds it. */
export const kubernetesClients = new KubernetesClients()
