import type { Env } from './env.ts'

// Overwrites what the process list shows of our arguments: one of them may be a secret.
const [command = ''] = process.argv.slice(2)
process.title = /^[a-z-]+$/.test(command) && !command.startsWith('-') ? `mcpg-ctl ${command}` : 'mcpg-ctl'

/** One Ctrl-C, or one signal to a process group, arrives once more from every program that passes it on. */
const sameSignalMs = 500

const stopping = new AbortController()
const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
let firstAt = 0

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  // To a gateway without a terminal it says to ask the control plane at once.
  if (signal === 'SIGHUP' && command === 'gateway' && !terminal) continue
  process.on(signal, () => {
    if (!stopping.signal.aborted) {
      firstAt = performance.now()
      return stopping.abort(signal)
    }
    if (performance.now() - firstAt < sameSignalMs) return
    process.stderr.write(`${signal} again: ending at once\n`)
    process.exit(code)
  })
}

for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The terminal is gone; SIGHUP ends us in order.
    if (error.code === 'EIO') return
    if (error.code !== 'EPIPE') throw error
    // A reader that has seen enough (`| head`) is no failure.
    if (stream === process.stdout) process.exit(0)
  })

const env: Env = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  isTTY: { stdin: process.stdin.isTTY ?? false, stdout: process.stdout.isTTY ?? false, stderr: process.stderr.isTTY ?? false },
  columns: process.stderr.columns || process.stdout.columns || 120,
  stopping: stopping.signal,
  self: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
// Nothing of ours is loaded before this: on an older Node native modules crash without a word.
if (major > 22 || (major === 22 && minor >= 19)) {
  const { runProgram } = await import('./program.ts')
  process.exitCode = await runProgram(process.argv.slice(2), env)
} else {
  process.stderr.write(
    `error: mcpg-ctl needs Node 22.19 or later, this is ${process.versions.node}\nhint: install a newer Node, or start it with npm run in a clone, which brings its own\n`,
  )
  process.exitCode = 1
}
