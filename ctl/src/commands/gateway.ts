import type { Context } from '../context.ts'
import { listGateways } from '../local/run-files.ts'
import { programFlags } from '../local/program-flags.ts'

export type GatewayOptions = { detach?: boolean; name?: string; [flag: string]: string | boolean | string[] | undefined }

const readyTimeoutMs = 60_000

export async function run(context: Context, _args: string[], { detach, ...options }: GatewayOptions): Promise<void> {
  if (detach) return runDetached(context, options.name ?? 'default')
  const { runGateway } = await import('@mcpg/gateway-agent/main')
  const { env, print, settings, stopping } = context
  await runGateway({
    flags: programFlags(context, options),
    env: env.env,
    stopping,
    stderr: env.stderr,
    onReady: (info) => {
      // What others do on SIGHUP, read the settings again, is here: ask the control plane at once.
      process.on('SIGHUP', () => info.wake())
      print(settings.output === 'json' ? JSON.stringify(info) : `gateway ${info.name} ready: ${info.endpoint}`)
      if (info.ca) context.say(trustHint(info.ca))
    },
  })
}

async function runDetached(context: Context, name: string): Promise<void> {
  const { startDetached, untilReady } = await import('../local/detach.ts')
  const started = await startDetached(context, `gateway-${name}`, context.again.args, context.again.env)
  const file = await untilReady(context, started, `The gateway ${name}`, readyTimeoutMs, async () => {
    const found = (await listGateways(context.settings.stateDir)).find((one) => one.name === name)
    return found?.pid === started.pid ? found : null
  })
  const endpoint = file.endpoints['mcp'] ?? ''
  context.print(context.settings.output === 'json' ? JSON.stringify({ name, endpoint }) : `gateway ${name} ready: ${endpoint}`)
  context.say(`running in the background (pid ${started.pid}); log: ${started.logFile}\nstop it with: mcpg-ctl stop --all`)
}

/** An AI client that runs on Node takes further roots by this variable; the bridge of this program finds them by itself. */
const trustHint = (ca: string) =>
  `clients trust its certificate with: NODE_EXTRA_CA_CERTS=${ca}\nelsewhere copy that file there (it holds no secret); or let them start: mcpg-ctl mcp --url <endpoint> --ca-file <file>`
