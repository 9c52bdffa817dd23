import { Option } from 'commander'
import type { Words } from '../../context.ts'
import { bytes, isolationTier, several, whole } from '../../options.ts'

export const words: Words = (program, run) => {
  const cluster = program.command('cluster').description('where managed gateways may run')
  cluster
    .command('list')
    .description('list clusters, with what is taken of them')
    .option('--all', 'also those that were decommissioned')
    .action(run(() => import('./list.ts')))
  cluster
    .command('health')
    .description('whether clusters can be used, and how full they are')
    .action(run(() => import('./health.ts')))
  cluster
    .command('describe')
    .argument('<cluster>', 'name or id')
    .description('show everything about a cluster')
    .action(run(() => import('./describe.ts')))
  cluster
    .command('register')
    .description('register a cluster; the same again changes nothing but what it is reached with')
    .requiredOption('--name <name>', 'name of the cluster')
    .requiredOption('--region <name>', 'where it is')
    .addOption(new Option('--gateways-max <n>', 'most gateways on it').argParser(whole).makeOptionMandatory())
    .addOption(isolationTier('how strictly its gateways are kept apart').default('shared'))
    .addOption(
      new Option(
        '--cpu-millicores-total <n>',
        'what there is of it (default: what each probe finds; without limit where only the other is given)',
      ).argParser(whole),
    )
    .addOption(new Option('--memory-bytes-total <n>', 'likewise').argParser(bytes))
    .addOption(several('--label <key=value>', 'label for --cluster-selector'))
    .addOption(new Option('--driver <driver>', 'how gateways run there').choices(['kubernetes', 'local']).default('kubernetes'))
    .option('--kubeconfig <file>', 'how it is reached (default: KUBECONFIG, else ~/.kube/config, where one is)')
    .option('--context <name>', 'context of the kubeconfig (default: the current one)')
    .option('--namespace <name>', 'where gateways live, a namespace that is there (default: one for each workspace and tier, made then)')
    .option('--server <url>', 'URL of its API server, instead of a kubeconfig')
    .option('--ca-file <file>', 'with --server: authority of its certificate, PEM')
    .option('--token-file <file>', 'with --server: token of the account of the control plane')
    .option('--gateway-image <image>', 'image of gateways there, without its tag (default: that of the control plane)')
    .addOption(
      new Option('--image-pull-policy <policy>', 'when nodes fetch it (default: where they do not have it)').choices([
        'Always',
        'IfNotPresent',
        'Never',
      ]),
    )
    .option(
      '--host-path <folder>',
      'keep the state of gateways in this folder of nodes, of uid 1000; for trials without a provisioner of volumes',
    )
    .option('--storage-class <name>', 'class of the volumes of gateways (default: that of the cluster)')
    .option('--ingress-namespace <name>', 'from where gateways may be called, beside namespaces with the label mcpg.dev/gateway-clients')
    .option('--ingress-class <class>', 'route custom host names by an Ingress of this class')
    .option('--certificate-issuer <name>', 'ClusterIssuer of cert-manager that makes their certificates')
    .option('--gateway-api <namespace/name>', 'route custom host names by an HTTPRoute of this Gateway')
    .addOption(several('--egress <cidr>', 'network that servers may call (default: all but metadata addresses)'))
    .action(run(() => import('./register.ts')))
  cluster
    .command('set')
    .argument('<cluster>', 'name or id')
    .description('change how much a cluster takes, or its labels; what is not given stays')
    .addOption(new Option('--gateways-max <n>', 'most gateways on it').argParser(whole))
    .option('--cpu-millicores-total <n>', 'what there is of it, or probed')
    .option('--memory-bytes-total <n>', 'likewise')
    .addOption(several('--label <key=value>', 'label in place of those it had; = removes them all'))
    .action(run(() => import('./set.ts')))
  cluster
    .command('cordon')
    .argument('<cluster>', 'name or id')
    .description('place nothing new on a cluster')
    .action(run(() => import('./cordon.ts')))
  cluster
    .command('uncordon')
    .argument('<cluster>', 'name or id')
    .description('place gateways on a cluster again')
    .action(run(() => import('./uncordon.ts')))
  cluster
    .command('drain')
    .argument('<cluster>', 'name or id')
    .description('move the gateways of a cluster to others, a tenth of them at once, and show how far that is; uncordon stops it')
    .option('--deadline <duration>', 'move nothing more after this, and say what is left (exit 7), e.g. 1h')
    .option('--detach', 'do not wait for it')
    .action(run(() => import('./drain.ts')))
  cluster
    .command('decommission')
    .description('give a cluster up; refused while gateways are on it')
    .requiredOption('--id <id>', 'its id, or its name')
    .option('--force', 'revoke and remove the gateways on it; works on one that cannot be reached, too')
    .option('--keep-running', 'with --force: only forget the cluster, its gateways go on')
    .action(run(() => import('./decommission.ts')))
}
