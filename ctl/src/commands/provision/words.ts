import { Option } from 'commander'
import type { Words } from '../../context.ts'
import { isolationTier, timeout, whole } from '../../options.ts'

export const words: Words = (program, run) => {
  const provision = program.command('provision').description('gateways that the control plane runs itself')
  const environment = () => new Option('--env <name>', 'environment (also --environment)')
  provision
    .command('create')
    .description('make a managed gateway, or bring the one of this name to these values, and show every phase')
    .addOption(environment())
    .requiredOption('--name <name>', 'name of the gateway')
    .option('--image-tag <tag>', 'version of the agent: a tag, a digest (sha256:…) or <tag>@sha256:…', 'latest')
    .addOption(new Option('--replicas <n>', 'how many of it').argParser(whole).default(1))
    .addOption(new Option('--max-replicas <n>', 'scale it by load up to so many, from --replicas on (on Kubernetes)').argParser(whole))
    .option('--region <name>', 'only clusters of this region')
    .addOption(isolationTier('how strictly it is kept apart from others (default: shared)'))
    .option('--custom-hostname <host>', 'name under which clients reach it, of a verified domain (mcpg-ctl domain add)')
    .addOption(
      new Option('--size <size>', 's 250m/512Mi, m 500m/1Gi, l 1000m/2Gi; of this machine it is only reserved')
        .choices(['s', 'm', 'l'])
        .default('s'),
    )
    .option('--cluster-selector <selector>', 'only clusters with these labels, e.g. disk=ssd')
    .addOption(new Option('--strategy <what>', 'fill clusters up, or spread over them').choices(['binpack', 'spread']).default('binpack'))
    .option('--allow-higher-tier', 'a cluster of a stricter tier will do, too')
    .addOption(timeout('15m'))
    .option('--detach', 'print the id of the operation and do not watch it')
    .action(run(() => import('./create.ts')))
  provision
    .command('delete')
    .description(
      'drain, revoke and remove a managed gateway (one that enrolled by itself: revoke and delete it at once); --org, --workspace, --env and --instance-uid must be named',
    )
    .addOption(environment())
    .option('--instance-uid <uid>', 'its instance uid, or its name')
    .addOption(new Option('--name <name>', 'another word for --instance-uid').hideHelp())
    .addOption(timeout('15m'))
    .option('--detach', 'print the id of the operation and do not watch it')
    .action(run(() => import('./delete.ts')))
  provision
    .command('history')
    .description('what was done with managed gateways of the organization, newest first')
    .option('--verbose', 'with every step')
    .addOption(new Option('--limit <n>', 'at most so many').argParser(whole).default(50))
    .action(run(() => import('./history.ts')))
  provision
    .command('watch')
    .argument('<operation>', 'its id')
    .description('show an operation up to its end')
    .addOption(timeout('15m'))
    .action(run(() => import('./watch.ts')))
  provision
    .command('cancel')
    .argument('<operation>', 'its id')
    .description('take back what an operation has done')
    .action(run(() => import('./cancel.ts')))
}
