import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Bind } from './context.ts'

/** Declares every command; the folder `commands/` holds their code. */
export function declareCommands(program: Command, run: Bind): void {
  declareMachine(program, run)
  declareGateways(program, run)
  declareObjects(program, run)
  declareServers(program, run)
  declareSecrets(program, run)
  declareShell(program, run)
}

const collect = (value: string, list: string[] = []) => [...list, value]
const files = () =>
  new Option('-f, --file <file>', 'manifest: a file, a folder or - for standard input; may be given several times')
    .argParser(collect)
    .default([], 'none')
const several = (flags: string, what: string) =>
  new Option(flags, `${what}; may be given several times`).argParser(collect).default([], 'none')
const whole = (text: string) => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}
const timeout = (fallback: string) => new Option('--timeout <duration>', 'give up after (exit 8), e.g. 90s or 5m').default(fallback)
const selector = () => new Option('-l, --selector <selector>', 'only objects with these labels, e.g. role=edge,tier!=test')
const detach = () => new Option('--detach', 'go to the background once ready; logs go to a file of the state dir')
const databaseUrl = () =>
  new Option(
    '--database-url <url>',
    'postgres://<user>@<host>:5432/<database> or sqlite:<path> (default: mcpg.db in the state dir); with a password better MCPG_DATABASE_URL',
  )
const databaseUrlFile = () => new Option('--database-url-file <file>', 'file that holds the URL of the database')
const expand = () => new Option('--no-expand', 'leave ${VAR} in manifests as it stands')

function declareMachine(program: Command, run: Bind): void {
  program
    .command('quickstart')
    .description('start a control plane, a gateway and a first MCP server on this machine')
    .option('--bind-http <address>', 'REST and console (default 127.0.0.1:7843)')
    .option('--bind-grpc <address>', 'gateways (default 127.0.0.1:7844)')
    .option('--no-browser', 'do not open the console')
    .option('--no-gateway', 'only the control plane')
    .option('--no-demo', 'no starter manifest')
    .addOption(detach())
    .action(run(() => import('./commands/quickstart.ts')))
  program
    .command('serve')
    .description('run the control plane')
    .option('--bind-http <address>', 'REST and console (default 127.0.0.1:7843); TLS only, beyond loopback')
    .option('--bind-grpc <address>', 'gateways (default 127.0.0.1:7844); TLS with client certificates, beyond loopback')
    .option('--tls-cert-file <file>', 'certificate chain of --bind-http, PEM (default: one of our own authority, as gateways always see)')
    .option('--tls-key-file <file>', 'its key, PEM; both files are read again when they change')
    .option('--insecure-allow-unauthenticated', 'let everybody who reaches a --bind-http beyond loopback do everything')
    .addOption(several('--endpoint-domain <domain>', 'public names at or below it may be certified for endpoints of gateways'))
    .addOption(databaseUrl())
    .addOption(databaseUrlFile())
    .option('--auth-mode <mode>', 'who may call the API: only none (the default) works in this version')
    .option('--external-url <url>', 'the URL under which others reach REST and console')
    .option('--external-grpc <url>', 'the URL under which gateways reach this control plane')
    .option('--master-key-file <file>', 'key that seals all others (default: master.key in the state dir)')
    .addOption(several('--allowed-host <name>', 'further name in the Host header'))
    .addOption(several('--allowed-origin <origin>', 'further Origin of browsers'))
    .addOption(several('--trusted-proxy <address>', 'proxy whose X-Forwarded-For counts'))
    .addOption(detach())
    .action(run(() => import('./commands/serve.ts')))
  program
    .command('stop')
    .description('stop the control plane of this state dir and the gateway of quickstart')
    .option('--all', 'every gateway of this state dir, too')
    .addOption(timeout('30s'))
    .action(run(() => import('./commands/stop.ts')))
  program
    .command('status')
    .description('what runs on this machine, and the database')
    .addOption(databaseUrl())
    .addOption(databaseUrlFile())
    .action(run(() => import('./commands/status.ts')))
  program
    .command('doctor')
    .description('look for what keeps things from working')
    .option('--bind-http <address>', 'address to look at', '127.0.0.1:7843')
    .option('--bind-grpc <address>', 'address to look at', '127.0.0.1:7844')
    .option('--bind <address>', 'address to look at', '127.0.0.1:7845')
    .addOption(databaseUrl())
    .addOption(databaseUrlFile())
    .action(run(() => import('./commands/doctor.ts')))
}

function declareGateways(program: Command, run: Bind): void {
  program
    .command('gateway')
    .description('run a gateway agent')
    .option('--enrollment-url <url>', 'one-time URL of `enroll create`; better MCPG_ENROLLMENT_URL')
    .option('--cp-grpc <url>', 'endpoint of the control plane (default: what the enrollment says, else http://127.0.0.1:7844)')
    .option('--instance-uid <uid>', 'identifier of this installation (default: host name and 6 hex)')
    .option('--name <name>', 'folder of this agent under <state>/gateways (default: default)')
    .option('--bind <address>', 'MCP endpoint (default 127.0.0.1:7845, or the next free port); TLS only, beyond loopback')
    .option('--tls-cert-file <file>', 'certificate chain of --bind, PEM (default: one by the authority of the control plane)')
    .option('--tls-key-file <file>', 'its key, PEM; both files are read again when they change')
    .option('--insecure-allow-unauthenticated', 'let everybody who reaches a --bind beyond loopback call every tool')
    .addOption(several('--allowed-host <name>', 'further name in the Host header'))
    .addOption(several('--allowed-origin <origin>', 'further Origin of browsers'))
    .option('--re-enroll', 'give up the stored identity and take a new one')
    .option('--fix-permissions', 'set the mode of the state dir right')
    .addOption(detach())
    .action(run(() => import('./commands/gateway.ts')))
  program
    .command('gateway-status')
    .description('credentials, control plane, last good config and policy of the agents of this machine')
    .option('--name <name>', 'only this agent')
    .action(run(() => import('./commands/gateway-status.ts')))
  const enroll = program.command('enroll').description('one-time URLs that turn a machine into a gateway')
  enroll
    .command('create')
    .description('create an enrollment; its URL is shown once')
    .option('--name <name>', 'name of the gateway')
    .addOption(several('--label <key=value>', 'label of the gateway'))
    .option('--ttl <duration>', 'how long the URL is good', '15m')
    .option('--max-uses <n>', 'gateways that may use it', whole, 1)
    .option('--expected-instance-uid <uid>', 'only this installation may use it')
    .addOption(several('--cidr <range>', 'only from these addresses'))
    .action(run(() => import('./commands/enroll/create.ts')))
  enroll
    .command('list')
    .description('list enrollments')
    .addOption(selector())
    .action(run(() => import('./commands/enroll/list.ts')))
  enroll
    .command('revoke')
    .argument('<name>')
    .description('void an enrollment that is not used')
    .option('--yes', 'do not ask')
    .action(run(() => import('./commands/enroll/revoke.ts')))
}

function declareObjects(program: Command, run: Bind): void {
  program
    .command('apply')
    .description('write the objects of manifests, all or none')
    .addOption(files())
    .addOption(
      new Option('--dry-run [side]', 'write nothing: ask the control plane (server), or only check (client)')
        .choices(['server', 'client'])
        .preset('server'),
    )
    .option('--prune <selector>', 'delete objects of the same kinds that match and are not in the manifests')
    .option('--wait', 'wait until every gateway runs it')
    .addOption(timeout('5m'))
    .addOption(expand())
    .action(run(() => import('./commands/apply.ts')))
  program
    .command('plan')
    .description('show what apply would change, field by field')
    .addOption(files())
    .option('--prune <selector>', 'as of apply')
    .option('--exit-code', 'exit 1 when something would change')
    .addOption(expand())
    .action(run(() => import('./commands/plan.ts')))
  program
    .command('diff')
    .argument('[gateway]', 'gateway/<name>: two of its configs instead of manifests')
    .description('compare manifests with what is stored, or two configs of a gateway; exit 1 when they differ')
    .addOption(files())
    .option('--from <generation>', 'config to compare with')
    .option('--to <generation>', 'config that is compared (default: the one the gateway should run)')
    .addOption(expand())
    .action(run(() => import('./commands/diff.ts')))
  program
    .command('rollback')
    .argument('<gateway>', 'gateway/<name>')
    .description('go back to an older config of a gateway and pin it there until it is resumed')
    .requiredOption('--to <generation>', 'config to go back to; describe gateway/<name> lists them')
    .action(run(() => import('./commands/rollback.ts')))
  program
    .command('resume')
    .argument('<gateway>', 'gateway/<name>')
    .description('let changes reach a gateway again that was rolled back')
    .action(run(() => import('./commands/resume.ts')))
  program
    .command('get')
    .argument('<kinds>', 'kinds separated by commas, all, or kind/name')
    .argument('[names...]', 'names or globs')
    .description('list objects')
    .addOption(selector())
    .option('-A, --all-workspaces', 'of every workspace')
    .option('-w, --watch', 'go on with changes')
    .option('--for <object>', 'of events: those that concern kind/name')
    .action(run(() => import('./commands/get.ts')))
  program
    .command('describe')
    .argument('<kind>', 'kind or kind/name')
    .argument('[names...]', 'names or globs')
    .description('show everything about objects')
    .action(run(() => import('./commands/describe.ts')))
  program
    .command('delete')
    .argument('[kind]', 'kind or kind/name')
    .argument('[names...]', 'names or globs')
    .description('delete objects')
    .addOption(files())
    .addOption(selector())
    .option('--yes', 'do not ask')
    .addOption(expand())
    .action(run(() => import('./commands/delete.ts')))
  program
    .command('edit')
    .argument('<kind>', 'kind or kind/name')
    .argument('[name]')
    .description('edit an object in $EDITOR')
    .action(run(() => import('./commands/edit.ts')))
  program
    .command('explain')
    .argument('<field>', 'kind or kind.field.field')
    .description('show the fields of a kind')
    .action(run(() => import('./commands/explain.ts')))
  program
    .command('wait')
    .argument('<objects...>', 'kind/name')
    .description('wait for a state')
    .option(
      '--for <what>',
      [
        'condition=Ready, condition=Ready=False, delete or state=<state>: of a server starting, ready (also: running), degraded, failed, stopped,',
        'pending or unknown; of a gateway online, late, offline, stopped, unknown, never_seen or revoked; of an instance pending, installing,',
        'starting, ready, unhealthy, crash_loop, stopping, stopped, failed or unknown; of an enrollment open, used, expired or revoked',
      ].join(' '),
    )
    .addOption(timeout('60s'))
    .action(run(() => import('./commands/wait.ts')))
}

function declareServers(program: Command, run: Bind): void {
  program
    .command('logs')
    .argument('<target>', 'a server, instance/<id>, gateway/<name> or control-plane')
    .description('print the log of a server on all its gateways, of one instance, a gateway or the control plane')
    .option('-f, --follow', 'go on with what is written')
    .option('-t, --tail <lines>', 'last lines of each instance to begin with, or all', '100')
    .option('-i, --index <n>', 'one instance of the server, by its place in `get instances`, from 0', whole)
    .option('--since <time>', 'nothing older, e.g. 5m or 2026-01-31T12:00:00Z')
    .option('--previous', 'the life before: of a process that was started again, of an instance that was replaced')
    .action(run(() => import('./commands/logs.ts')))
  const server = program.command('server').description('start, stop and restart MCP servers')
  server
    .command('start')
    .argument('<names...>')
    .description('set state to running')
    .action(run(() => import('./commands/server/start.ts')))
  server
    .command('stop')
    .argument('<names...>')
    .description('set state to stopped')
    .action(run(() => import('./commands/server/stop.ts')))
  server
    .command('restart')
    .argument('<names...>')
    .description('start new instances and drain the old ones')
    .option('--retry', 'lift a hold')
    .option('--upgrade', 'resolve the version of the package again')
    .action(run(() => import('./commands/server/restart.ts')))
}

function declareSecrets(program: Command, run: Bind): void {
  const create = program.command('create').description('create objects without a manifest')
  create
    .command('secret')
    .argument('<name>')
    .description('create a secret; its values are sent, sealed and never shown again')
    .addOption(several('--from-file <key=path>', 'value from a file; without key= it is called like the file'))
    .addOption(several('--from-env <key=VAR>', 'value from a variable of this environment; without key= it is called like the variable'))
    .option('--from-stdin <key>', 'value from standard input')
    .addOption(
      several('--data <key=value>', 'value on the command line, which others can read in the process list; better the flags above'),
    )
    .addOption(several('--data-file <file>', 'file of lines key=value'))
    .action(run(() => import('./commands/create/secret.ts')))
  const secret = program.command('secret').description('values of secrets')
  secret
    .command('reveal')
    .argument('<name>')
    .description('show values of a secret; written to the audit trail')
    .option('--key <key>', 'only this key, as bare text')
    .option('--yes', 'do not ask')
    .action(run(() => import('./commands/secret/reveal.ts')))
}

function declareShell(program: Command, run: Bind): void {
  program
    .command('mcp')
    .description('speak MCP on standard input and output, for clients that start a program')
    .option('--url <url>', 'endpoint (default: the gateway of this machine)')
    .option('--server <name>', 'only this server, names unprefixed')
    .option('--name <name>', 'gateway agent of this machine')
    .option('--via-control-plane', 'through the control plane, to a gateway that may be anywhere')
    .option('--gateway <name>', 'with --via-control-plane: this gateway (default: one that is online)')
    .option('--ca-file <file>', 'roots (PEM) that an https endpoint is held against (default: those of the gateway of this machine)')
    .action(run(() => import('./commands/mcp.ts')))
  program
    .command('version')
    .description('version of this program and of the control plane')
    .action(run(() => import('./commands/version.ts')))
  program
    .command('completion')
    .argument('<shell>', 'bash, zsh, fish or powershell')
    .description('print a completion script')
    .action(run(() => import('./commands/completion.ts')))
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(run(() => import('./commands/complete.ts')))
}
