import type { KubernetesObject } from './workload.ts'
import { containerSecurity, podSecurity } from './restricted.ts'

/** How a control plane is installed on a cluster. */
export type ControlPlaneInstallation = {
  namespace: string
  image: string
  /** Under which people and gateways reach it, e.g. `https://mcpg.example.com` and `https://gateways.mcpg.example.com:443`. */
  externalUrl: string
  externalGrpc: string
  /** Bytes of the volume with the state dir: the master key, and the database where it is SQLite. */
  storage: string
  storageClass?: string
  /** A Secret with the URL of a PostgreSQL under the key `url`; none: SQLite on the volume. */
  databaseSecret?: string
  /** A Secret of type kubernetes.io/tls for people; gateways always see a certificate of the control plane's own authority. */
  tlsSecret?: string
  /** Of Gateway API, in the same namespace: two routes that pass TLS through. */
  gateway?: string
}

export const controlPlaneName = 'mcpg-control-plane'
const ports = { rest: 7843, grpc: 7844 }
const labels = { 'app.kubernetes.io/name': controlPlaneName, 'app.kubernetes.io/part-of': 'mcpg' }

/** One replica: a database belongs to one process, and a second one would end. */
export function controlPlaneObjects(given: ControlPlaneInstallation): KubernetesObject[] {
  const { namespace } = given
  const meta = (name: string) => ({ name, namespace, labels })
  const service = (name: string, port: { name: string; port: number }) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta(name),
    spec: { type: 'ClusterIP', selector: labels, ports: [{ ...port, targetPort: port.name, protocol: 'TCP' }] },
  })
  return [
    service(controlPlaneName, { name: 'rest', port: ports.rest }),
    // Gateways hold streams with client certificates, so they come by a way of their own that ends TLS nowhere before us.
    service(gatewaysService, { name: 'grpc', port: ports.grpc }),
    statefulSet(given),
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: meta(controlPlaneName),
      // Its one replica may go when a node does; two at a time never can.
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    },
    ...routes(given),
  ]
}

const gatewaysService = `${controlPlaneName}-gateways`

function statefulSet(given: ControlPlaneInstallation): KubernetesObject {
  const { namespace, image, externalUrl, externalGrpc, storage, storageClass, databaseSecret, tlsSecret } = given
  const home = '/var/lib/mcpg'
  const mounts = [
    ...(databaseSecret ? [{ name: 'database', secret: databaseSecret, path: '/run/mcpg/database' }] : []),
    ...(tlsSecret ? [{ name: 'tls', secret: tlsSecret, path: '/run/mcpg/tls' }] : []),
  ]
  const probe = (path: string) => ({ httpGet: { path, port: 'rest', scheme: 'HTTPS' }, timeoutSeconds: 5 })
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: controlPlaneName, namespace, labels },
    spec: {
      replicas: 1,
      serviceName: controlPlaneName,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: controlPlaneName,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 60,
          securityContext: podSecurity,
          containers: [
            {
              name: 'control-plane',
              image,
              args: [
                'serve',
                '--bind-http',
                `0.0.0.0:${ports.rest}`,
                '--bind-grpc',
                `0.0.0.0:${ports.grpc}`,
                '--state-dir',
                `${home}/state`,
                '--external-url',
                externalUrl,
                '--external-grpc',
                externalGrpc,
                ...(databaseSecret ? ['--database-url-file', '/run/mcpg/database/url'] : []),
                ...(tlsSecret ? ['--tls-cert-file', '/run/mcpg/tls/tls.crt', '--tls-key-file', '/run/mcpg/tls/tls.key'] : []),
              ],
              env: [
                { name: 'MCPG_JSON_LOGS', value: 'true' },
                { name: 'HOME', value: '/tmp' },
              ],
              ports: [
                { name: 'rest', containerPort: ports.rest, protocol: 'TCP' },
                { name: 'grpc', containerPort: ports.grpc, protocol: 'TCP' },
              ],
              resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '1Gi' } },
              securityContext: containerSecurity,
              // A database that has to be migrated may take its time.
              startupProbe: { ...probe('/healthz'), periodSeconds: 2, failureThreshold: 150 },
              readinessProbe: { ...probe('/readyz'), periodSeconds: 5, failureThreshold: 2 },
              livenessProbe: { ...probe('/healthz'), periodSeconds: 10, failureThreshold: 6 },
              volumeMounts: [
                { name: 'state', mountPath: home },
                { name: 'tmp', mountPath: '/tmp' },
                ...mounts.map(({ name, path }) => ({ name, mountPath: path, readOnly: true })),
              ],
            },
          ],
          volumes: [
            { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
            ...mounts.map(({ name, secret }) => ({ name, secret: { secretName: secret, defaultMode: 0o440 } })),
          ],
        },
      },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'state', labels },
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage } },
            ...(storageClass ? { storageClassName: storageClass } : {}),
          },
        },
      ],
    },
  }
}

function routes({ namespace, gateway, externalUrl, externalGrpc }: ControlPlaneInstallation): KubernetesObject[] {
  if (!gateway) return []
  const route = (name: string, url: string, port: number) => ({
    apiVersion: 'gateway.networking.k8s.io/v1alpha2',
    kind: 'TLSRoute',
    metadata: { name, namespace, labels },
    spec: {
      parentRefs: [{ name: gateway }],
      hostnames: [new URL(url).hostname],
      rules: [{ backendRefs: [{ name, port }] }],
    },
  })
  return [route(controlPlaneName, externalUrl, ports.rest), route(gatewaysService, externalGrpc, ports.grpc)]
}
