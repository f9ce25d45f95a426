import type { Json } from '../fakes/kubernetes/json-patch.ts'

type Parts = { [key: string]: Json }

/** A pod template with one container, whose pods have the label `app`. */
export function podTemplate(app: string, spec: Parts = {}): Parts {
  return {
    metadata: { labels: { app } },
    spec: { containers: [{ name: 'main', image: `registry.example/${app}:1` }], ...spec },
  }
}

/** A Deployment without its name, as `kubectl create` sends it. */
export function deployment(
  app: string,
  replicas: number,
  spec: Parts = {},
): { apiVersion: Json; kind: Json; spec: Parts } {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    spec: { replicas, selector: { matchLabels: { app } }, template: podTemplate(app, spec) },
  }
}

export function statefulSet(app: string, replicas: number, claims: readonly string[] = []): Parts {
  const volumeClaimTemplates = claims.map((name) => ({
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }))
  return {
    ...deployment(app, replicas),
    kind: 'StatefulSet',
    spec: { ...deployment(app, replicas).spec, serviceName: app, volumeClaimTemplates },
  }
}

/** A CronJob that never comes by itself. */
export function cronJob(spec: Parts = {}): Parts {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    spec: {
      schedule: '0 0 31 2 *',
      suspend: true,
      jobTemplate: {
        metadata: { labels: { team: 'shop' } },
        spec: {
          backoffLimit: 0,
          template: {
            spec: {
              restartPolicy: 'Never',
              containers: [
                {
                  name: 'main',
                  image: 'registry.example/smoke:1',
                  env: [
                    { name: 'TARGET', value: 'old' },
                    { name: 'DEPTH', value: '3' },
                  ],
                },
              ],
            },
          },
          ...spec,
        },
      },
    },
  }
}
