import { KubernetesClients } from '../../shared/kubernetes/clients.ts'

/** The clients of all kinds of Kubernetes objects; each is closed with the last scope that holds it. */
export const kubernetesClients = new KubernetesClients()
