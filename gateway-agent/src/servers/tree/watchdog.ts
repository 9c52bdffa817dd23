import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/**
 * One shell per agent on a pipe. Each line replaces what it knows: `<marker>|<pid>|<start time> …` of everything that runs. At end of
 * file the agent is gone: it ends those groups, if they are still the same processes, then whatever carries one of the markers, until
 * two passes find nothing. An agent that stops properly sends an empty line first.
 */
const script = String.raw`# mcpg: ends the servers of an agent that died
trap '' INT TERM HUP
alive=
while IFS= read -r line; do alive=$line; done
[ -n "$alive" ] || exit 0
set -f
markers=
for entry in $alive; do
  marker=$(printf '%s' "$entry" | cut -d'|' -f1)
  pid=$(printf '%s' "$entry" | cut -d'|' -f2)
  start=$(printf '%s' "$entry" | cut -d'|' -f3)
  markers="$markers -e MCPG_INSTANCE=$marker"
  [ "$pid" -gt 1 ] || continue
  if [ -r "/proc/$pid/stat" ]; then
    stat=$(cat "/proc/$pid/stat")
    set -- $(printf '%s' "$stat" | sed 's/^.*) //')
    now=$(eval "printf '%s' \"\${20}\"")
  else
    now=
  fi
  [ "$now" = "$start" ] && kill -9 "-$pid"
done
set +f
[ -r /proc/self/environ ] || exit 0
empty=0
passes=0
cd /proc || exit 0
while [ "$empty" -lt 2 ] && [ "$passes" -lt 500 ]; do
  found=$(grep -lszxF $markers [0-9]*/environ)
  if [ -n "$found" ]; then empty=0; else empty=$((empty + 1)); fi
  for file in $found; do kill -9 "$(printf '%s' "$file" | cut -d/ -f1)"; done
  passes=$((passes + 1))
  sleep 0.02 || sleep 1
done
`

export type Watched = { marker: string; pid: number; startTime: string }

export function startWatchdog(shell: string) {
  const watched = new Map<string, Watched>()
  let stopping = false
  let child = launch()
  return { watch, forget, stop, pid: () => child.pid }

  function watch(entry: Watched): void {
    watched.set(entry.marker, entry)
    tell(child)
  }

  function forget(marker: string): void {
    if (watched.delete(marker)) tell(child)
  }

  async function stop(): Promise<void> {
    if (stopping) return
    stopping = true
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    const exited = once(child, 'exit')
    child.stdin?.end('\n')
    await exited
  }

  function launch(): ChildProcess {
    const started = spawn(shell, ['-c', script], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'] ?? '' },
    })
    started.on('error', () => {})
    started.stdin?.on('error', () => {})
    // It must not keep an agent alive that has nothing else to do.
    started.unref()
    if (started.stdin && 'unref' in started.stdin && typeof started.stdin.unref === 'function') started.stdin.unref()
    started.on('exit', () => {
      if (!stopping) setTimeout(relaunch, 1_000).unref()
    })
    return started
  }

  function relaunch(): void {
    if (stopping) return
    child = launch()
    tell(child)
  }

  function tell(to: ChildProcess): void {
    to.stdin?.write(`${[...watched.values()].map(({ marker, pid, startTime }) => `${marker}|${pid}|${startTime}`).join(' ')}\n`)
  }
}
