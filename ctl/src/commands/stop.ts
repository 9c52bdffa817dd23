import { setTimeout as delay } from 'node:timers/promises'
import { isSameProcess } from '@mcpg/core/process-identity'
import { McpgError } from '@mcpg/proto/errors'
import type { RunFile } from '@mcpg/proto/run-files'
import { localConnection } from '../api/connection.ts'
import type { Context } from '../context.ts'
import { durationOption } from '../duration-option.ts'
import { findControlPlane, listGateways, type LocalGateway } from '../local/run-files.ts'

export type StopOptions = { all?: boolean; timeout: string }

/** The gateway that `quickstart` starts and that ends with it. */
export const quickstartGateway = 'quickstart'

export async function run(context: Context, _args: string[], { all, timeout }: StopOptions): Promise<void> {
  const { settings, print, say } = context
  const timeoutMs = durationOption('--timeout', timeout)
  const gateways = await listGateways(settings.stateDir)
  const controlPlane = await findControlPlane(settings.stateDir)
  const stopped: string[] = []
  const late: { what: string; pid: number }[] = []
  const ends = ({ name }: LocalGateway) => all || name === quickstartGateway
  // Gateways first, so that they say goodbye to a control plane that is still there; it would start those again that it manages.
  await Promise.all(gateways.filter((one) => !one.isManaged && ends(one)).map(stopGateway))
  if (controlPlane) await stop('control plane', controlPlane, () => askToStop(controlPlane))
  // Looked for again: it may have started some as it was told to end.
  const managed = (await listGateways(settings.stateDir)).filter(({ isManaged }) => isManaged)
  await Promise.all(managed.filter(ends).map(stopGateway))
  if (settings.output === 'json') print(JSON.stringify({ stopped }))
  // Told last: one that hangs keeps no other one alive.
  if (late.length > 0) throw notEnded(late, timeout)
  const left = all ? [] : gateways.filter(({ name }) => name !== quickstartGateway)
  if (stopped.length === 0 && settings.output !== 'json')
    print(left.length > 0 ? 'no control plane is running, nor the gateway of quickstart' : 'nothing is running')
  if (left.length > 0) say(`still running: ${left.map(({ name }) => `gateway ${name}`).join(', ')}; stop them too: mcpg-ctl stop --all`)

  async function stopGateway(gateway: LocalGateway): Promise<void> {
    await stop(`gateway ${gateway.name}`, gateway, () => terminate(gateway))
  }

  async function stop(what: string, program: RunFile, ask: () => Promise<void> | void): Promise<void> {
    await ask()
    const deadline = performance.now() + timeoutMs
    while (isSameProcess(program.pid, program.startTime)) {
      if (performance.now() > deadline) {
        late.push({ what, pid: program.pid })
        return
      }
      await delay(50)
    }
    stopped.push(what)
    if (settings.output !== 'json') print(`${what} stopped (pid ${program.pid})`)
  }

  /** By the API, so that it also works where signals do not; a control plane that cannot answer gets the signal. */
  async function askToStop(program: RunFile): Promise<void> {
    const rest = localConnection(program)
    const isAsked = await rest
      ?.fetch(new URL('/v1/control/stop', rest.url), {
        method: 'POST',
        signal: AbortSignal.timeout(2000),
        headers: settings.token ? { authorization: `Bearer ${settings.token}` } : {},
      })
      .then(
        ({ ok }) => ok,
        () => false,
      )
    if (!isAsked) terminate(program)
  }
}

function notEnded(late: { what: string; pid: number }[], timeout: string): McpgError {
  const what = late.map((one) => `${one.what} (pid ${one.pid})`).join(', ')
  return new McpgError('timeout', 'stop_timeout', `${what} ${late.length === 1 ? 'has' : 'have'} not ended after ${timeout}.`, {
    hint: `end ${late.length === 1 ? 'it' : 'them'} at once: kill -9 ${late.map(({ pid }) => pid).join(' ')}`,
  })
}

function terminate({ pid, startTime }: RunFile): void {
  // Looked at again just before: a pid is reused.
  if (isSameProcess(pid, startTime)) process.kill(pid, 'SIGTERM')
}
