import { gatewayMeta } from './metadata.ts'
import { endpointPort, type Discovery, type GatewayWorkload, type KubernetesObject } from './workload.ts'

/** How calls for a custom host name come to the gateway: with an Ingress, or with an HTTPRoute of a Gateway that is there. */
export function route(workload: GatewayWorkload, discovery: Discovery): KubernetesObject[] {
  const { hostname, routing } = workload
  if (hostname === undefined || routing === undefined) return []
  return routing.type === 'ingress' ? [ingress(workload, hostname, routing)] : [httpRoute(workload, hostname, routing, discovery)]
}

/** Its certificate lies in the Secret `<workload>-tls`: cert-manager makes that with an issuer, else whoever runs the cluster. */
function ingress(
  workload: GatewayWorkload,
  hostname: string,
  { className, issuer }: { className: string; issuer?: string | undefined },
): KubernetesObject {
  const metadata = gatewayMeta(workload)
  const backend = { service: { name: metadata.name, port: { name: 'mcp' } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      ...metadata,
      annotations: {
        // The endpoint speaks TLS, and its streams stay open.
        'nginx.ingress.kubernetes.io/backend-protocol': 'HTTPS',
        'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
        ...(issuer !== undefined && { 'cert-manager.io/cluster-issuer': issuer }),
      },
    },
    spec: {
      ingressClassName: className,
      tls: [{ hosts: [hostname], secretName: gatewayMeta(workload, 'tls').name }],
      rules: [{ host: hostname, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  }
}

/** Its certificate is that of the listener. */
function httpRoute(
  workload: GatewayWorkload,
  hostname: string,
  { namespace, name }: { namespace: string; name: string },
  { httpRoute: apiVersion = 'gateway.networking.k8s.io/v1' }: Discovery,
): KubernetesObject {
  const metadata = gatewayMeta(workload)
  return {
    apiVersion,
    kind: 'HTTPRoute',
    metadata,
    spec: {
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace, name }],
      hostnames: [hostname],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ group: '', kind: 'Service', name: metadata.name, port: endpointPort, weight: 1 }],
        },
      ],
    },
  }
}
