import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isSameProcess, startTimeOf } from '@mcpg/core/process-identity'
import { gatewayKind, type GatewayStatus } from '@mcpg/proto/kinds/gateway'
import { CreatedEnrollment } from '@mcpg/proto/rest/enrollments'
import type { RunFile } from '@mcpg/proto/run-files'
import type { Api } from '../api/client.ts'
import { findObject } from '../api/objects.ts'
import { environmentPath, objectPath } from '../api/paths.ts'
import { quickstartGateway as name } from '../commands/stop.ts'
import type { Context } from '../context.ts'
import { startDetached, untilReady } from '../local/detach.ts'
import { listGateways } from '../local/run-files.ts'

/** The first start writes keys and looks for what the machine can do. */
const readyTimeoutMs = 60_000
/** Servers get `stopGrace` each to end; then the agent is ended. */
const stopTimeoutMs = 20_000

/** Settings of the person's other programs that would change whose gateway this is. */
const notItsOwn = { MCPG_LOG_FILE: undefined, MCPG_ENROLLMENT_URL: undefined, MCPG_INSTANCE_UID: undefined, MCPG_RE_ENROLL: undefined }

export type LocalGateway = { endpoint: string; process: RunFile }

/**
 * Starts the gateway of this machine as a process of its own, in a session of its own, so that Ctrl-C does not reach it before us. The
 * enrollment URL travels by the environment. One that still runs (its quickstart was killed) is taken over,
 * and started anew where the control plane listens elsewhere than `before`. `isOurs`: it ends with this process
 * at the latest.
 */
export async function startLocalGateway(
  context: Context,
  api: Api,
  { grpc, before, isOurs }: { grpc: string; before: string | undefined; isOurs: boolean },
): Promise<LocalGateway> {
  const tell = (line: string) => void context.env.stderr.write(`${line}\n`)
  const left = await findLocalGateway(context)
  if (left && (before ?? grpc) === grpc) {
    wake(left)
    if (isOurs) stopAtExit(left, tell)
    return { endpoint: left.endpoints['mcp'] ?? '', process: left }
  }
  // Its control plane has moved, and where to is told at its start.
  if (left) await stopProcess(left)
  const { variables, flags } = await credentials(context, api)
  const { globals, settings } = context
  const args = [
    'gateway',
    '--name',
    name,
    '--state-dir',
    settings.stateDir,
    '--cp-grpc',
    grpc,
    ...flags,
    ...(globals.jsonLogs ? ['--json-logs'] : []),
  ]
  const started = await startDetached(context, `gateway-${name}`, args, { ...notItsOwn, ...variables })
  if (isOurs) stopAtExit({ pid: started.pid, startTime: startTimeOf(started.pid) ?? '' }, tell)
  try {
    const file = await untilReady(context, started, 'The gateway', readyTimeoutMs, async () => {
      const found = await findLocalGateway(context)
      return found?.pid === started.pid ? found : null
    })
    return { endpoint: file.endpoints['mcp'] ?? '', process: file }
  } catch (error) {
    if (!started.hasExited()) process.kill(started.pid, 'SIGTERM')
    throw error
  }
}

/** It may be in the middle of a long back-off from the time when there was no control plane. */
export function wake({ pid, startTime }: RunFile): void {
  if (process.platform !== 'win32' && isSameProcess(pid, startTime)) process.kill(pid, 'SIGHUP')
}

export async function findLocalGateway({ settings }: Context): Promise<RunFile | null> {
  return (await listGateways(settings.stateDir)).find((one) => one.name === name) ?? null
}

/** Whoever ends before the gateway is stopped, by a second Ctrl-C or a crash, tells it to stop. */
function stopAtExit({ pid, startTime }: Pick<RunFile, 'pid' | 'startTime'>, tell: (line: string) => void): void {
  process.once('exit', () => {
    if (!isSameProcess(pid, startTime)) return
    process.kill(pid, 'SIGTERM')
    tell(`the gateway (pid ${pid}) is told to stop, too`)
  })
}

/** Ends it in order, and the hard way when that takes too long. */
export async function stopProcess({ pid, startTime }: RunFile): Promise<void> {
  if (!isSameProcess(pid, startTime)) return
  process.kill(pid, 'SIGTERM')
  const deadline = performance.now() + stopTimeoutMs
  while (isSameProcess(pid, startTime)) {
    if (performance.now() > deadline) process.kill(pid, 'SIGKILL')
    await delay(50)
  }
}

/** Nothing, where the identity on disk is one the control plane knows; else a fresh enrollment. */
async function credentials({ settings }: Context, api: Api): Promise<{ variables: Record<string, string>; flags: string[] }> {
  const hasIdentity = existsSync(join(settings.stateDir, 'gateways', name, 'identity.json'))
  const known = await findObject(api, gatewayKind, name)
  const connection = (known?.status as Partial<GatewayStatus> | undefined)?.connection
  if (known && hasIdentity && connection !== 'revoked') return { variables: {}, flags: [] }
  // The folder of the agent was deleted, or its credential is void: its name is free again once the old entry is gone.
  if (known) await api.call('DELETE', objectPath(settings, gatewayKind, name))
  const { body } = await api.call('POST', `${environmentPath(settings)}/enrollments`, {
    body: { name, ttl: '15m' },
    schema: CreatedEnrollment,
  })
  return { variables: { MCPG_ENROLLMENT_URL: body.url }, flags: hasIdentity ? ['--re-enroll'] : [] }
}
