import type { RunFile } from '@mcpg/proto/run-files'
import { localConnection } from '../api/connection.ts'
import type { Context } from '../context.ts'
import { findControlPlane } from '../local/run-files.ts'
import { readSetupCode } from '../local/setup-code.ts'
import { programFlags } from '../local/program-flags.ts'

export type ServeOptions = { detach?: boolean; [flag: string]: string | boolean | string[] | undefined }

/** A database that has to be migrated may take its time. */
const readyTimeoutMs = 120_000

export async function run(context: Context, _args: string[], { detach, ...options }: ServeOptions): Promise<void> {
  if (detach) return runDetached(context)
  const { serve } = await import('@mcpg/cp/main')
  const { env, print, stopping } = context
  await serve({
    flags: programFlags(context, options),
    env: env.env,
    stopping,
    stderr: env.stderr,
    self: env.self,
    onReady: (endpoints, { setupCode }) => {
      printEndpoints(context, endpoints, print)
      if (setupCode) printSetupCode(context, setupCode)
    },
  })
}

async function runDetached(context: Context): Promise<void> {
  const { startDetached, untilReady } = await import('../local/detach.ts')
  const started = await startDetached(context, 'control-plane', context.again.args, context.again.env)
  const file = await untilReady(context, started, 'The control plane', readyTimeoutMs, async () => {
    const found = await findControlPlane(context.settings.stateDir)
    return found?.pid === started.pid && (await isReady(found)) ? found : null
  })
  printEndpoints(context, file.endpoints, context.print)
  const setupCode = await readSetupCode(context.settings.stateDir)
  if (setupCode) printSetupCode(context, setupCode)
  context.say(`running in the background (pid ${started.pid}); log: ${started.logFile}\nstop it with: mcpg-ctl stop`)
}

export async function isReady(running: RunFile): Promise<boolean> {
  const rest = localConnection(running)
  if (!rest) return false
  return rest.fetch(new URL('/readyz', rest.url), { signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** Not on standard output, which may be a result that is parsed, and not in the log. */
function printSetupCode({ env }: Context, code: string): void {
  env.stderr.write(`nobody can sign in yet; create the first user with: mcpg-ctl login\nsetup code for the console: ${code}\n`)
}

function printEndpoints({ settings }: Context, endpoints: Record<string, string>, print: (line: string) => void): void {
  if (settings.output === 'json') return print(JSON.stringify({ endpoints }))
  print(
    `control plane ready: console ${endpoints['console'] ?? endpoints['http']}  REST ${endpoints['http']}  gateways ${endpoints['grpc']}`,
  )
}
