import { PassThrough, Writable } from 'node:stream'
import type { Env } from '../src/env.ts'
import { runProgram } from '../src/program.ts'

export type TestEnv = { env: Env; stdout: () => string; stderr: () => string; interrupt: () => void }

/** A process for tests: what is written is kept, nothing of the real environment is seen. */
export function testEnv({
  variables = {},
  stdin = '',
  cwd = process.cwd(),
  tty = false,
}: { variables?: Record<string, string>; stdin?: string; cwd?: string; tty?: boolean } = {}): TestEnv {
  const stopping = new AbortController()
  const [out, err] = [sink(), sink()]
  const input = new PassThrough()
  input.end(stdin)
  return {
    env: {
      stdin: input,
      stdout: out.stream,
      stderr: err.stream,
      env: variables,
      cwd,
      isTTY: { stdin: tty, stdout: tty, stderr: tty },
      columns: 120,
      stopping: stopping.signal,
      self: [process.execPath, new URL('../src/main.ts', import.meta.url).pathname],
    },
    stdout: out.text,
    stderr: err.text,
    interrupt: () => stopping.abort('SIGINT'),
  }
}

function sink() {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  return { stream, text: () => text }
}

/** Runs a command line to its end. */
export async function ctl(
  args: string[],
  options: Parameters<typeof testEnv>[0] = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { env, stdout, stderr } = testEnv(options)
  const code = await runProgram(args, env)
  return { code, stdout: stdout(), stderr: stderr() }
}
