import { BlockList } from 'node:net'
import { metadataAddresses } from '@mcpg/proto/rest/clusters'
import { gatewayMeta } from './metadata.ts'
import { clientsLabel, gatewaySelector } from './names.ts'
import { endpointPort, type GatewayWorkload, type KubernetesObject } from './workload.ts'

export function services(workload: GatewayWorkload): KubernetesObject[] {
  const selector = gatewaySelector(workload.instanceUid)
  // The protocol is written out: servers before 1.20 merge ports without one wrongly.
  const ports = [{ name: 'mcp', port: endpointPort, targetPort: 'mcp', protocol: 'TCP' }]
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: gatewayMeta(workload), spec: { type: 'ClusterIP', selector, ports } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: gatewayMeta(workload, headlessSuffix),
      spec: { type: 'ClusterIP', clusterIP: 'None', selector, ports },
    },
  ]
}

export const headlessSuffix = 'pods'

/** Nothing comes in but calls, and nothing goes out but names, the control plane and what its servers may call. */
export function networkPolicy(workload: GatewayWorkload): KubernetesObject {
  const { controlPlane, egress, ingressNamespace } = workload
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: gatewayMeta(workload),
    spec: {
      podSelector: { matchLabels: gatewaySelector(workload.instanceUid) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [
            { namespaceSelector: { matchLabels: { [clientsLabel]: 'true' } } },
            ...(ingressNamespace ? [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': ingressNamespace } } }] : []),
          ],
          ports: [{ port: endpointPort, protocol: 'TCP' }],
        },
      ],
      egress: [
        {
          to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
          ports: [
            { port: 53, protocol: 'UDP' },
            { port: 53, protocol: 'TCP' },
          ],
        },
        // By ports only: its address may be a name, and behind a load balancer many.
        {
          to: ['0.0.0.0/0', '::/0'].map(block),
          ports: [controlPlane.restPort, controlPlane.grpcPort].map((port) => ({ port, protocol: 'TCP' })),
        },
        ...(egress.length > 0 ? [{ to: egress.map(block) }] : []),
      ],
    },
  }
}

/** The exception must lie inside of the block, or the server refuses it. */
function block(cidr: string) {
  const except = metadataAddresses.filter((address) => contains(cidr, address))
  return { ipBlock: { cidr, ...(except.length > 0 ? { except } : {}) } }
}

function contains(cidr: string, inner: string): boolean {
  const [network = '', bits = ''] = cidr.split('/')
  const [address = ''] = inner.split('/')
  const family = network.includes(':') ? 'ipv6' : 'ipv4'
  if (family !== (address.includes(':') ? 'ipv6' : 'ipv4') || cidr === inner) return false
  const list = new BlockList()
  list.addSubnet(network, Number(bits), family)
  return list.check(address, family)
}
