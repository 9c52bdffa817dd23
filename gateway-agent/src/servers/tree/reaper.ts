import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { PassThrough, type Duplex } from 'node:stream'
import { killQuietly } from './marker.ts'
import type { Exit, Spawned, SpawnOrder } from './spawned.ts'

/**
 * Tier 2: a sub-reaper per server. The kernel hands it every orphan below it, so nothing that the server started can leave, whatever it
 * does to group, session, parent and environment; it ends all of it when told to, when the server ends, and when the agent is gone.
 *
 * File descriptor 3 is a socket to the agent. Down: `t` SIGTERM to the server's group, `k` end everything, end of file = the agent died.
 * Up, one line each: `pid <server>`, `exec <errno>` when the program could not be started, `end <wait status>` when nothing is left.
 *
 * No modules, so that it starts in 3 ms from perl-base. It must not carry the marker: the watchdog would shoot it before its work is done.
 */
const script = String.raw`# mcpg: holds one MCP server and everything below it
my ($prctl, $setsid, $marker, @argv) = @ARGV;
open(my $agent, '+<&=', 3) or exit 125;
fcntl($agent, 2, 1);                                   # F_SETFD FD_CLOEXEC
syscall($prctl + 0, 36, 1, 0, 0, 0) == 0 or exit 124;  # PR_SET_CHILD_SUBREAPER
my @ignored = qw(INT TERM HUP QUIT PIPE USR1 USR2 TSTP);
$SIG{$_} = 'IGNORE' for @ignored;
$SIG{CHLD} = sub {};                                   # interrupts select
my $server = fork;
defined $server or exit 123;
if ($server == 0) {
  $SIG{$_} = 'DEFAULT' for @ignored, 'CHLD';           # an ignored signal stays ignored across exec
  syscall($setsid + 0);
  delete $ENV{PERL_BADLANG};
  for (keys %ENV) { $ENV{$1} = delete $ENV{$_} if /^MCPG_HELD_(.*)/s }
  $ENV{MCPG_INSTANCE} = $marker;
  { no warnings; exec { $argv[0] } @argv; }
  syswrite $agent, 'exec ' . ($! + 0) . "\n";
  exit 127;
}
open STDIN, '<', '/dev/null'; open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null';
syswrite $agent, "pid $server\n";
my $status;
sub reap { my $pid; while (($pid = waitpid(-1, 1)) > 0) { $status = $? if $pid == $server } return $pid }
sub below {
  my (%children, @found);
  opendir my $proc, '/proc';
  for my $pid (grep { /^\d+$/ } readdir $proc) {
    open my $file, '<', "/proc/$pid/stat" or next;
    local $/;
    my $stat = <$file>;
    push @{ $children{$1} }, $pid if defined $stat && $stat =~ /.*\) \S (\d+)/s;
  }
  my @parents = ($$);
  while (@parents) { my @more = @{ $children{ shift @parents } || [] }; push @found, @more; push @parents, @more }
  return @found;
}
for (;;) {
  reap();
  last if defined $status;
  my $readable = '';
  vec($readable, fileno $agent, 1) = 1;
  # A child that ends just before select is seen a second later at the most.
  next unless select($readable, undef, undef, 1) > 0;
  my $got = sysread $agent, my $word, 16;
  last if !$got || $word =~ /k/;
  kill 'TERM', -$server;
}
my $deadline = time + 10;
for (;;) {
  kill 'KILL', below();
  last if reap() == -1 || time > $deadline;            # -1: no child is left, and every orphan is a child
  select undef, undef, undef, 0.005;
}
syswrite $agent, 'end ' . (defined $status ? $status : 9) . "\n";
`

/** System call numbers of prctl and setsid; a processor that is not here has tier 1 only. */
const systemCalls: Partial<Record<NodeJS.Architecture, [prctl: number, setsid: number]>> = { x64: [157, 112], arm64: [167, 157] }

export function canReap(): boolean {
  return process.platform === 'linux' && systemCalls[process.arch] !== undefined
}

export function spawnUnderReaper(perl: string, { argv, cwd, env, marker }: SpawnOrder): Spawned {
  const [prctl = 0, setsid = 0] = systemCalls[process.arch] ?? []
  const pid = Promise.withResolvers<number | null>()
  const exit = Promise.withResolvers<Exit>()
  const gone = Promise.withResolvers<void>()
  let server = 0
  let execError: string | undefined
  const child: ChildProcess = spawn(perl, ['-e', script, '--', String(prctl), String(setsid), marker, ...argv], {
    cwd,
    env: heldEnvironment(env),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  const control = child.stdio[3] as Duplex | null | undefined
  for (const stream of child.stdio) stream?.on('error', () => {})
  let heard = ''
  control?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (heard + chunk).split('\n')
    heard = lines.pop() ?? ''
    lines.forEach(hear)
  })
  child.on('error', (error: NodeJS.ErrnoException) => finish({ code: null, signal: null, error: error.code ?? error.message }))
  child.on('exit', (code, signal) => {
    // Its last line may still be in the socket.
    if (control && !control.destroyed && !control.readableEnded) control.once('close', () => finish(lost(code, signal)))
    else finish(lost(code, signal))
    setTimeout(() => finish(lost(code, signal)), 200).unref()
  })
  return {
    stdin: child.stdin ?? new PassThrough(),
    stdout: child.stdout ?? new PassThrough(),
    stderr: child.stderr ?? new PassThrough(),
    pid: pid.promise,
    exited: exit.promise,
    terminate: () => void control?.write('t'),
    kill,
    released: gone.promise,
  }

  function hear(line: string): void {
    const [word, value = ''] = line.split(' ')
    if (word === 'exec') execError = errnoName(Number(value))
    if (word === 'end') exit.resolve(execError === undefined ? exitOf(Number(value)) : { code: null, signal: null, error: execError })
    if (word !== 'pid') return
    server = Number(value)
    pid.resolve(server)
  }

  function kill(): void {
    if (child.exitCode !== null || child.signalCode !== null) {
      // Somebody killed the reaper; the group is what is left to reach.
      if (server > 0) killQuietly(-server)
      return
    }
    control?.write('k')
  }

  /** The reaper itself was killed or could not work. */
  function lost(code: number | null, signal: string | null): Exit {
    return { code, signal, ...(code !== null && code >= 123 && code <= 125 && server === 0 ? { error: `reaper ${code}` } : {}) }
  }

  function finish(last: Exit): void {
    pid.resolve(null)
    exit.resolve(execError === undefined ? last : { code: null, signal: null, error: execError })
    gone.resolve()
    control?.destroy()
  }
}

/** What perl itself would obey is put aside and given back to the server. */
function heldEnvironment(env: Record<string, string>): Record<string, string> {
  const held = Object.entries(env).map(([name, value]) => [name.startsWith('PERL') ? `MCPG_HELD_${name}` : name, value])
  // Without it a locale that is not installed makes perl write to the server's stderr.
  return { ...(Object.fromEntries(held) as Record<string, string>), PERL_BADLANG: '0' }
}

/** A wait status: the low seven bits are the signal, the next byte is the exit code. */
function exitOf(status: number): Exit {
  const number = status & 127
  if (number === 0) return { code: status >> 8, signal: null }
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0]
  return { code: null, signal: name ?? `signal ${number}` }
}

function errnoName(errno: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`
}
