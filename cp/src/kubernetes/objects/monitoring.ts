import { controlPlaneName } from './control-plane.ts'
import type { KubernetesObject } from './workload.ts'

const labels = { 'app.kubernetes.io/name': controlPlaneName, 'app.kubernetes.io/part-of': 'mcpg' }

/** What is worth waking somebody for; `for` keeps a restart quiet. */
const alerts: { alert: string; expr: string; for: string; severity: 'critical' | 'warning'; summary: string }[] = [
  {
    alert: 'McpgControlPlaneDown',
    expr: `absent(up{job="${controlPlaneName}"} == 1)`,
    for: '5m',
    severity: 'critical',
    summary: 'No control plane answers. Gateways go on serving what they have.',
  },
  {
    alert: 'McpgDatabaseNotWritable',
    expr: 'mcpg_database_writable == 0',
    for: '2m',
    severity: 'critical',
    summary: 'The control plane cannot write its database; every change is refused.',
  },
  {
    alert: 'McpgGatewaysOffline',
    expr: 'mcpg_gateways{connected="false"} > 0',
    for: '15m',
    severity: 'warning',
    summary: '{{ $value }} gateways have been offline for a quarter of an hour.',
  },
]

export const alertRules = () => ({
  groups: [
    {
      name: 'mcpg',
      rules: alerts.map(({ severity, summary, ...alert }) => ({ ...alert, labels: { severity }, annotations: { summary } })),
    },
  ],
})

/**
 * For the Prometheus operator and a Grafana that looks for dashboards. The scraper signs in with a token that has the operation metrics,
 * under the key `token` of the Secret mcpg-metrics.
 */
export function monitoringObjects({ namespace, tlsSecret }: { namespace: string; tlsSecret?: string }): KubernetesObject[] {
  return [
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: { name: controlPlaneName, namespace, labels },
      spec: {
        selector: { matchLabels: labels },
        endpoints: [
          {
            port: 'rest',
            path: '/metrics',
            scheme: 'https',
            interval: '30s',
            authorization: { credentials: { name: 'mcpg-metrics', key: 'token' } },
            // Inside of the cluster it is known by another name than in its certificate.
            tlsConfig: tlsSecret ? { ca: { secret: { name: tlsSecret, key: 'ca.crt' } } } : { insecureSkipVerify: true },
          },
        ],
      },
    },
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: controlPlaneName, namespace, labels },
      spec: alertRules(),
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `${controlPlaneName}-dashboard`, namespace, labels: { ...labels, grafana_dashboard: '1' } },
      data: { 'mcpg.json': JSON.stringify(dashboard(), null, 2) },
    },
  ]
}

function dashboard() {
  const panel = (id: number, title: string, type: string, expr: string, x: number, width: number) => ({
    id,
    title,
    type,
    gridPos: { x, y: 0, w: width, h: 8 },
    targets: [{ refId: 'A', expr }],
  })
  return {
    uid: 'mcpg',
    title: 'mcpg',
    schemaVersion: 39,
    time: { from: 'now-6h', to: 'now' },
    panels: [
      panel(1, 'Gateways', 'timeseries', 'sum by (connected) (mcpg_gateways)', 0, 12),
      panel(2, 'Database can be written', 'stat', 'min(mcpg_database_writable)', 12, 4),
      panel(3, 'Size of the database', 'timeseries', 'mcpg_database_size_bytes', 16, 8),
    ],
  }
}
