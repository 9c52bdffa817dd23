import { Argument, InvalidArgumentError, Option, type Command } from 'commander'
import { clientNames } from './clients/clients.ts'
import type { Bind } from './context.ts'

/** Declares every command; the folder `commands/` holds their code. */
export function declareCommands(program: Command, run: Bind): void {
  declareMachine(program, run)
  declareGateways(program, run)
  program.command('create').description('create an object without a manifest, with a flag for each of its fields')
  declareObjects(program, run)
  declareServers(program, run)
  declareSecrets(program, run)
  declareAccess(program, run)
  declareTokens(program, run)
  declareEndpointAccess(program, run)
  declareAudit(program, run)
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
    .option('--insecure-allow-unauthenticated', 'let everybody who reaches a --bind-http beyond loopback do everything, without sign-in')
    .addOption(several('--endpoint-domain <domain>', 'public names at or below it may be certified for endpoints of gateways'))
    .addOption(databaseUrl())
    .addOption(databaseUrlFile())
    .option(
      '--auth-mode <mode>',
      'who may call the API: none (default on loopback), local with e-mail and password (default beyond it), oidc',
    )
    .option('--oidc-issuer <url>', 'OpenID issuer of --auth-mode oidc')
    .option('--oidc-client-id <id>', 'the id under which the issuer knows this control plane')
    .option('--oidc-client-secret-file <file>', 'its secret (default: a public client)')
    .addOption(several('--oidc-audience <id>', 'whom an id_token may be made for (default: the client id and mcpg-ctl)'))
    .addOption(several('--admin-subject <sub>', 'subject of the issuer who is platform admin'))
    .addOption(several('--admin-group <group>', 'group of the issuer whose members are platform admins'))
    .option('--license-public-key-file <file>', 'Ed25519 public key (PEM) that licenses of issuers are checked with')
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
    .command('login')
    .description('sign in at the control plane, or create its first user')
    .addOption(new Option('--issuer <url>', 'OpenID issuer to sign in at (default: what the control plane says)').env('MCPG_FED_ISSUER'))
    .option('--client-id <id>', 'the id under which the issuer knows this program (default: mcpg-ctl)')
    .option('--no-browser', 'print the address, and take the one where the browser ends, or the code in it')
    .option('--device', 'show a code that is typed in on another device')
    .option('--username <e-mail>', 'who signs in (default: asked for)')
    .option('--password-stdin', 'read the password from standard input')
    .option('--setup-code <code>', 'what creates the first user (default: read in the state dir, else asked for); better MCPG_SETUP_CODE')
    .action(run(() => import('./commands/login.ts')))
  program
    .command('whoami')
    .description('who you are for the control plane, how you are signed in and until when, and your groups')
    .action(run(() => import('./commands/whoami.ts')))
  program
    .command('logout')
    .description('end the session at the control plane and forget it here')
    .option('--everywhere', 'every session of this user, on all machines')
    .action(run(() => import('./commands/logout.ts')))
  program
    .command('passwd')
    .argument('[e-mail]', 'somebody else, who gets a password and is signed out everywhere')
    .description('change your password, and end every other session of yours')
    .option(
      '--password-stdin',
      'read two lines from standard input: the password of today and the new one; of somebody else only the new one',
    )
    .action(run(() => import('./commands/passwd.ts')))
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
    .option('--enrollment-url-file <file>', 'file that holds that URL; it may be gone once it was used')
    .option('--cp-grpc <url>', 'endpoint of the control plane (default: what the enrollment says, else http://127.0.0.1:7844)')
    .option('--instance-uid <uid>', 'identifier of this installation (default: host name and 6 hex)')
    .option('--name <name>', 'folder of this agent under <state>/gateways (default: default)')
    .option('--bind <address>', 'MCP endpoint (default 127.0.0.1:7845, or the next free port); TLS only, beyond loopback')
    .option('--tls-cert-file <file>', 'certificate chain of --bind, PEM (default: one by the authority of the control plane)')
    .option('--tls-key-file <file>', 'its key, PEM; both files are read again when they change')
    .option('--insecure-allow-unauthenticated', 'let everybody who reaches a --bind beyond loopback call every tool, without a token')
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
    .command('project')
    .description('what clients need to use a project')
    .command('connect')
    .argument('<client>', clientNames.join(', '))
    .description('show what stands in the file of a client, or put it there; the project is that of -p')
    .option('--write', 'put it into the file, and keep what was there beside it')
    .option('--file <path>', 'another file than the one that the client reads by default')
    .option('--name <name>', 'name of the entry (default: the project)')
    .option('--gateway <name>', 'the gateway to go to (default: the first that serves the project)')
    .option('--url <url>', 'an endpoint, without asking the control plane')
    .option('--token-env <variable>', 'variable of the environment that has the token')
    .action(run(() => import('./commands/project/connect.ts')))
  program
    .command('approve')
    .argument('<kind>', 'promptrequest, or promptrequest/name')
    .argument('[names...]')
    .description('take what was proposed: a prompt request becomes the prompt of its name')
    .action(run(() => import('./commands/approve.ts')))
  program
    .command('reject')
    .argument('<kind>', 'promptrequest, or promptrequest/name')
    .argument('[names...]')
    .description('refuse what was proposed; the request stays, with the reason')
    .requiredOption('--reason <text>', 'what whoever asked for it should know')
    .action(run(() => import('./commands/reject.ts')))
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
    .command('import')
    .argument('<source>', `${clientNames.join(', ')}, a file, or - for standard input`)
    .argument('[names...]', 'only these servers, by name or glob')
    .description("make servers and secrets of a client's file, of a gridctl stack.yaml or of an mcpctl manifest")
    .addOption(
      new Option('--dry-run [side]', 'write nothing: show what would change (server), or print the manifest without values (client)')
        .choices(['server', 'client'])
        .preset('server'),
    )
    .option('--partial', 'leave out and list what cannot be imported')
    .option('--replace', 'replace what is there under the same name and not the same')
    .addOption(several('--secret <glob>', 'names of variables and headers whose values are secrets, too'))
    .addOption(several('--plain <glob>', 'names of variables, headers, arguments and parameters whose values are no secrets'))
    .action(run(() => import('./commands/import.ts')))
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
    .argument('<kind>', 'kind, kind/name, or several of either')
    .argument('[names...]', 'names or globs')
    .description('show everything about objects')
    .addOption(selector())
    .action(run(() => import('./commands/describe.ts')))
  program
    .command('delete')
    .argument('[kind]', 'kind or kind/name')
    .argument('[names...]', 'names or globs')
    .description('delete objects')
    .addOption(files())
    .addOption(selector())
    .option('--yes', 'do not ask')
    .option('--cascade', 'delete what lives in them, too')
    .option('--ignore-not-found', 'what is not there is no failure')
    .option('--dry-run', 'write nothing, and say what would be deleted or refused')
    .addOption(expand())
    .action(run(() => import('./commands/delete.ts')))
  program
    .command('patch')
    .argument('<kind>', 'kind or kind/name')
    .argument('[words...]', 'names or globs, then field=value')
    .description('change fields of objects: field=value, inner.field=value, labels.key=value; a value may be JSON, null removes')
    .addOption(selector())
    .option('--dry-run', 'write nothing, and say what would change or be refused')
    .action(run(() => import('./commands/patch.ts')))
  program
    .command('edit')
    .argument('<kind>', 'kind or kind/name')
    .argument('[name]')
    .description('edit an object in $EDITOR')
    .action(run(() => import('./commands/edit.ts')))
  program
    .command('explain')
    .argument('[field]', 'kind or kind.field.field (default: the kinds there are)')
    .description('show the fields of a kind')
    .option('-r, --recursive', 'and those inside them')
    .action(run(() => import('./commands/explain.ts')))
  program
    .command('wait')
    .argument('<objects...>', 'kind/name, or a kind and names; globs stand for what is there now')
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
  const server = program.command('server').description('start, stop, restart and upgrade MCP servers')
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
  server
    .command('upgrade')
    .argument('<name>')
    .description('bring a server that was made from a template to another version of it; what was changed here since stays')
    .option('--to <version>', 'version of the template (default: the newest)')
    .addOption(several('--param <name=value>', 'parameter of the template, where it is to be another than before'))
    .option('--dry-run', 'only show what would change, and where both changed something (exit 1)')
    .action(run(() => import('./commands/server/upgrade.ts')))
}

function declareSecrets(program: Command, run: Bind): void {
  const secret = program.command('secret').description('values of secrets')
  secret
    .command('reveal')
    .argument('<name>')
    .description('show values of a secret; written to the audit trail')
    .option('--key <key>', 'only this key, as bare text')
    .option('--yes', 'do not ask')
    .action(run(() => import('./commands/secret/reveal.ts')))
}

function declareAccess(program: Command, run: Bind): void {
  program
    .command('can-i')
    .argument('[what]', 'view, create, edit, delete, run, expose, or an operation, e.g. reveal-secrets')
    .argument('[kind]', 'kind or kind/name, orgs, workspaces, environments, audit or *')
    .description('whether you may do something; exit 1 when not')
    .option('--list', 'everything you may do')
    .option('--who', 'everybody who may do it, and by which role')
    .action(run(() => import('./commands/can-i.ts')))
}

function declareTokens(program: Command, run: Bind): void {
  const token = program.command('token').description('bearers of programs: your own, and those of MCP clients')
  tokenFlags(
    token
      .command('create')
      .argument('<name>')
      .description('make a token of yours, of a service account, or with -p of an MCP client; it is shown once')
      .option('--service-account <name>', 'whose token it is (default: yours)'),
  ).action(run(() => import('./commands/token/create.ts')))
  token
    .command('list')
    .description('list your tokens, and those you may look at')
    .action(run(() => import('./commands/token/list.ts')))
  token
    .command('revoke')
    .argument('<name>', 'name or id')
    .description('stop a token for ever; its row stays')
    .option('--yes', 'do not ask')
    .action(run(() => import('./commands/token/revoke.ts')))
  token
    .command('delete')
    .argument('<name>', 'name or id')
    .description('stop a token for ever and forget it')
    .option('--yes', 'do not ask')
    .action(run(() => import('./commands/token/delete.ts')))
}

function declareEndpointAccess(program: Command, run: Bind): void {
  program
    .command('endpoint-access')
    .addArgument(
      new Argument(
        '[auth]',
        'auto: a token is wanted beyond loopback; required: always; open: never, where the gateway allows it too',
      ).choices(['auto', 'required', 'open']),
    )
    .description('show or say how clients get into the endpoints of the environment')
    .option('--max-access-age <duration>', 'how long a gateway without its control plane goes by what it knew, or unlimited')
    .action(run(() => import('./commands/endpoint-access.ts')))
}

/** Of whatever makes a token. */
export function tokenFlags(command: Command): Command {
  return command
    .option('--ttl <time>', 'how long it lasts: a duration such as 30d, never, or a time such as 2027-01-31T12:00:00Z', '30d')
    .addOption(several('--bind <right>', 'what it may do: role:<verb>,resource:<kind>[,name:<name>] or operation:<name>'))
    .addOption(
      new Option(
        '--rbac <what>',
        'of an MCP client, beside --bind: empty (use the servers of its project) or clone (all that you may do there)',
      ).choices(['empty', 'clone']),
    )
    .option('--force', 'of an MCP client: replace the token of this name, which stops at once')
}

function declareAudit(program: Command, run: Bind): void {
  const audit = program.command('audit').description('who did what, and whether that record is whole')
  const platform = () => new Option('--platform', 'what belongs to no organization, such as sign-ins')
  const filtered = (command: Command) =>
    command
      .addOption(platform())
      .option('--actor <name>', 'who did it; a* for names that begin so')
      .option('--action <action>', 'what was done, e.g. server.create or server.*')
      .option('--target <target>', 'what it was done to: kind/name, kind/ or a name')
      .option('--request-id <id>', 'everything of one request')
      .option('--session <id>', 'everything of one session of a client')
      .addOption(new Option('--origin <origin>', 'what was done here, or what gateways saw').choices(['control-plane', 'gateways']))
      .option('--since <time>', 'nothing older, e.g. 12h or 2026-01-31T12:00:00Z')
      .option('--until <time>', 'nothing from then on')
  filtered(audit.command('list').description('list the newest entries'))
    .option('--limit <n>', 'at most so many', whole, 100)
    .action(run(() => import('./commands/audit/list.ts')))
  audit
    .command('sessions')
    .description('what clients did at gateways, by session, the latest first')
    .option('--actor <name>', 'whose; a* for names that begin so')
    .option('--since <time>', 'nothing older, e.g. 12h or 2026-01-31T12:00:00Z')
    .option('--until <time>', 'nothing from then on')
    .option('--limit <n>', 'at most so many', whole, 100)
    .action(run(() => import('./commands/audit/sessions.ts')))
  audit
    .command('verify')
    .description('check that no entry was altered or removed; exit 1 when one was')
    .addOption(platform())
    .action(run(() => import('./commands/audit/verify.ts')))
  filtered(audit.command('export').description('print entries as NDJSON, oldest first')).action(
    run(() => import('./commands/audit/export.ts')),
  )
  audit
    .command('purge')
    .description('remove old entries; a signed tombstone keeps the rest verifiable')
    .requiredOption('--before <time>', 'remove what is older, e.g. 400d or 2026-01-31T12:00:00Z')
    .addOption(platform())
    .option('--yes', 'do not ask')
    .action(run(() => import('./commands/audit/purge.ts')))
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
    .option('--patience <ms>', 'how long the control plane may take to answer', '150')
    .allowUnknownOption()
    .action(run(() => import('./commands/complete.ts')))
}
