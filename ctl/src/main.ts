import type { Env } from './env.ts'

const stopping = new AbortController()

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.on(signal, () => {
    if (stopping.signal.aborted) {
      process.stderr.write(`${signal} again: ending at once\n`)
      process.exit(code)
    }
    stopping.abort(signal)
  })

// A terminal that is closed takes with it what was started on it.
if (process.stdin.isTTY) process.once('SIGHUP', () => stopping.abort('SIGHUP'))

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
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
