import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { prepareStateDir } from '@mcpg/core/state-dir'
import type { RunFile } from '@mcpg/proto/run-files'
import type { Api } from '../api/client.ts'
import type { Context } from '../context.ts'
import { Interrupted } from '../failure.ts'
import { openBrowser, whyNoBrowser } from '../local/browser.ts'
import { keepAddresses, readAddresses, type Addresses } from '../local/addresses.ts'
import { programFlags } from '../local/program-flags.ts'
import { findControlPlane, listGateways } from '../local/run-files.ts'
import { ladder } from '../output/ladder.ts'
import { findLocalGateway, startLocalGateway, stopProcess, wake } from '../quickstart/local-gateway.ts'
import { applyStarter, showServers } from '../quickstart/starter-server.ts'
import { isReady } from './serve.ts'

export type QuickstartOptions = {
  bindHttp?: string
  bindGrpc?: string
  browser: boolean
  gateway: boolean
  demo: boolean
  detach?: boolean
}

const readyTimeoutMs = 120_000

/** A control plane younger than this may belong to a quickstart that is still starting its gateway. */
const otherQuickstartMs = 5_000

export async function run(context: Context, _args: string[], given: QuickstartOptions): Promise<void> {
  const last = await readAddresses(context.settings.stateDir)
  if (await tellRunning(context, given, last)) return
  const options = asLastTime(context, given, last)
  if (options.detach) return runDetached(context, options)
  const controlPlane = await startControlPlane(context, options)
  const { bindHttp, bindGrpc } = options
  const { pins } = (await findControlPlane(context.settings.stateDir)) ?? {}
  await keepAddresses(context.settings.stateDir, { bindHttp, bindGrpc, endpoints: controlPlane.endpoints, pins })
  const bringingUp = bringUp(context, options, controlPlane.endpoints, last)
  try {
    await Promise.race([bringingUp, controlPlane.ended])
    await controlPlane.ended
  } catch (error) {
    // Ctrl-C is how it ends, also in the middle of its start.
    if (!(error instanceof Interrupted) || !context.stopping.aborted) throw error
  } finally {
    // A gateway that is just being started is known only when that has ended.
    await bringingUp.catch(() => {})
    await controlPlane.stop()
  }
}

/** Addresses that nobody gave are those of the last start, as the gateway beside it and the settings of clients know them. */
function asLastTime({ say }: Context, options: QuickstartOptions, last: Addresses | null): QuickstartOptions {
  const { bindHttp = last?.bindHttp, bindGrpc = last?.bindGrpc } = options
  const taken = [
    ...(options.bindHttp === undefined && bindHttp !== undefined ? [`--bind-http ${bindHttp}`] : []),
    ...(options.bindGrpc === undefined && bindGrpc !== undefined ? [`--bind-grpc ${bindGrpc}`] : []),
  ]
  if (taken.length > 0) say(`as last time: ${taken.join(' ')}`)
  return { ...options, ...(bindHttp !== undefined && { bindHttp }), ...(bindGrpc !== undefined && { bindGrpc }) }
}

/** The control plane in this process; `ended` when somebody else stops it, `stop` ends the gateway before it. */
async function startControlPlane(context: Context, { bindHttp, bindGrpc, gateway }: QuickstartOptions) {
  const { env, stopping, settings } = context
  const progress = ladder(context)
  progress.set('control plane', 'running', 'starting')
  const { serve } = await import('@mcpg/cp/main')
  const stopServe = new AbortController()
  let ready = (_endpoints: Record<string, string>) => {}
  const isUp = new Promise<Record<string, string>>((resolve) => (ready = resolve))
  const flags = programFlags(context, { bindHttp, bindGrpc, logFile: await logFileOf(context) })
  const serving = serve({ flags, env: env.env, stopping: stopServe.signal, stderr: env.stderr, self: env.self, onReady: ready })
  const interrupted = new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve(), { once: true }))
  if (stopping.aborted) stopServe.abort()
  const first = await Promise.race([isUp, serving.then(() => null), interrupted.then(() => null)])
  if (!first) {
    stopServe.abort()
    await serving
    throw new Interrupted()
  }
  progress.set('control plane', 'done', first['console'] ?? first['http'])
  return { endpoints: first, ended: Promise.race([serving, interrupted]), stop }

  async function stop(): Promise<void> {
    const running = gateway ? await findLocalGateway(context) : null
    if (running) {
      if (!settings.quiet) env.stderr.write('stopping the gateway\n')
      await stopProcess(running)
    }
    if (!settings.quiet) env.stderr.write('stopping the control plane\n')
    stopServe.abort()
    await serving
    const left = (await listGateways(settings.stateDir)).filter(({ isManaged }) => isManaged)
    if (left.length > 0)
      context.say(`still running: ${left.map(({ name }) => `gateway ${name}`).join(', ')}; stop them too: mcpg-ctl stop --all`)
  }
}

/** The log of the control plane would run through the ladder; null leaves a state dir that cannot be used to `serve`, which says why. */
async function logFileOf({ settings, globals }: Context): Promise<string | undefined> {
  if (globals.logFile) return globals.logFile
  if (await prepareStateDir(settings.stateDir)) return undefined
  const folder = join(settings.stateDir, 'logs')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return join(folder, 'control-plane.log')
}

async function bringUp(
  context: Context,
  options: QuickstartOptions,
  endpoints: Record<string, string>,
  last: Addresses | null,
): Promise<void> {
  const { createApi } = await import('../api/client.ts')
  const api: Api = await createApi({ settings: { ...context.settings, cpUrl: endpoints['http'] }, env: context.env })
  const progress = ladder(context)
  if (options.demo) await applyStarter(api)
  let endpoint: string | undefined
  if (options.gateway) {
    progress.set('gateway', 'running', 'starting')
    ;({ endpoint } = await startLocalGateway(context, api, { ...placesOf(endpoints, last), isOurs: true }))
    await showServers(context, api, progress)
  }
  if (context.stopping.aborted) throw new Interrupted()
  printEndpoints(context, endpoints, endpoint)
  if (options.browser && !whyNoBrowser(context.env)) openBrowser(endpoints['console'] ?? endpoints['http'] ?? '')
  context.say('\nCtrl-C stops both.')
}

/** Where the gateway dials, and where it was told to last. */
const placesOf = (endpoints: Record<string, string>, last: Addresses | null) => ({
  grpc: endpoints['grpc'] ?? '',
  before: last?.endpoints['grpc'],
})

function printEndpoints({ print, settings }: Context, endpoints: Record<string, string>, endpoint: string | undefined): void {
  if (settings.output === 'json') return print(JSON.stringify({ ...endpoints, ...(endpoint ? { mcp: endpoint } : {}) }))
  const lines = ['', `console       ${endpoints['console'] ?? endpoints['http']}`]
  if (endpoint)
    lines.push(`MCP endpoint  ${endpoint}`, '', 'connect an AI client, for example:', `  claude mcp add --transport http mcpg ${endpoint}`)
  else lines.push('', 'add a gateway with: mcpg-ctl enroll create')
  print(lines.join('\n'))
}

async function tellRunning(context: Context, options: QuickstartOptions, last: Addresses | null): Promise<boolean> {
  const running = await findControlPlane(context.settings.stateDir)
  if (!running) return false
  context.say(`already running (pid ${running.pid}); stop it with: mcpg-ctl stop`)
  const endpoint = options.gateway ? await completeRunning(context, running, options, last) : undefined
  const others = await listGateways(context.settings.stateDir)
  printEndpoints(context, running.endpoints, endpoint ?? others[0]?.endpoints['mcp'])
  return true
}

/** The endpoint of the gateway beside a control plane that runs already; one that is not there is started and goes on in the background. */
async function completeRunning(
  context: Context,
  running: RunFile,
  { demo }: QuickstartOptions,
  last: Addresses | null,
): Promise<string | undefined> {
  // Another quickstart may be about to start it.
  const patience = Date.parse(running.startedAt) + otherQuickstartMs
  let gateway = await findLocalGateway(context)
  while (!gateway && Date.now() < patience && !context.stopping.aborted) {
    await delay(100)
    gateway = await findLocalGateway(context)
  }
  if (gateway) {
    wake(gateway)
    return gateway.endpoints['mcp']
  }
  const { createApi } = await import('../api/client.ts')
  const api = await createApi({ settings: { ...context.settings, cpUrl: undefined }, env: context.env })
  const progress = ladder(context)
  if (demo) await applyStarter(api)
  progress.set('gateway', 'running', 'starting')
  const { endpoint } = await startLocalGateway(context, api, { ...placesOf(running.endpoints, last), isOurs: false })
  await keepAddresses(context.settings.stateDir, { ...last, endpoints: running.endpoints, pins: running.pins })
  await showServers(context, api, progress)
  context.say('the gateway goes on in the background')
  return endpoint
}

async function runDetached(context: Context, options: QuickstartOptions): Promise<void> {
  const { startDetached, untilReady } = await import('../local/detach.ts')
  const started = await startDetached(context, 'quickstart', [...context.again.args, '--no-browser'], context.again.env)
  const endpoints = await untilReady(context, started, 'quickstart', readyTimeoutMs, async () => {
    const controlPlane = await findControlPlane(context.settings.stateDir)
    if (controlPlane?.pid !== started.pid || !(await isReady(controlPlane))) return null
    const gateway = options.gateway ? await findLocalGateway(context) : undefined
    return gateway === null ? null : { ...controlPlane.endpoints, ...gateway?.endpoints }
  })
  printEndpoints(context, endpoints, endpoints['mcp'])
  if (options.browser && !whyNoBrowser(context.env)) openBrowser(endpoints['console'] ?? '')
  context.say(`\nrunning in the background (pid ${started.pid}); log: ${started.logFile}\nstop it with: mcpg-ctl stop`)
}
