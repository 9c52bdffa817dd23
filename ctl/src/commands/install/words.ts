import { Option } from 'commander'
import type { Words } from '../../context.ts'
import { whole } from '../../options.ts'

export const words: Words = (program, run) => {
  const install = program.command('install').description('print what installs a control plane')
  install
    .command('kubernetes')
    .description('manifests for kubectl apply -f -, as YAML or with -o json as a list')
    .option('--namespace <name>', 'namespace of the control plane', 'mcpg')
    .option('--external-url <url>', 'https:// URL under which people reach it')
    .option('--external-grpc <url>', 'https:// URL under which gateways reach it')
    .option('--image <image>', 'image of the control plane, with its tag (default: mcpg/control-plane of this version)')
    .addOption(new Option('--replicas <n>', 'must be 1: a database belongs to one control plane').argParser(whole))
    .option('--storage <size>', 'size of the volume with the state dir (default: 10Gi)')
    .option('--storage-class <name>', 'class of that volume (default: that of the cluster)')
    .option('--database-secret <name>', 'Secret with the URL of a PostgreSQL under the key url (default: SQLite on the volume)')
    .option('--tls-secret <name>', 'Secret of type kubernetes.io/tls for people (default: a certificate of the own authority)')
    .option('--gateway <name>', 'Gateway of Gateway API that leads to it by two routes, one of them for gateways')
    .option('--monitoring', 'also a ServiceMonitor, alerts and a dashboard, for the Prometheus operator and Grafana')
    .option('--access-only', 'only the account and the role that a control plane elsewhere needs on this cluster')
    .action(run(() => import('./kubernetes.ts')))
}
