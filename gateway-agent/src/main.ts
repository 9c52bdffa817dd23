import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemClock } from '@mcpg/core/clock'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { run } from '@mcpg/core/lifecycle'
import { lineLog } from '@mcpg/core/line-log'
import { createLog } from '@mcpg/core/log'
import { isSameProcess, startTimeOf } from '@mcpg/core/process-identity'
import { prepareStateDir, type StateDirProblem } from '@mcpg/core/state-dir'
import { lockFolder } from '@mcpg/core/state-lock'
import { McpgError } from '@mcpg/proto/errors'
import { gatewayRunFile, RunFile } from '@mcpg/proto/run-files'
import { version } from '@mcpg/proto/version'
import { createAgent, endpointsOf } from './agent.ts'
import { gatewayFolder, readSettings, type Env, type Flags, type Settings } from './config.ts'
import { crashPoint } from './config/crash-point.ts'
import { configFolder, openSlots } from './config/slots.ts'
import { endpointNamesOf, withEndpointCertificate } from './identity/endpoint-certificate.ts'
import { ensureIdentity } from './identity/enroll.ts'
import { caFile } from './identity/identity-file.ts'
import { credentialCalls } from './link/credential-calls.ts'
import { describeGateway } from './link/description.ts'
import { loadPolicy, policyFile } from './policy/policy.ts'

export { gatewayFacts, type GatewayFacts } from './facts.ts'
export { probeSupervision } from './servers/tree/probe.ts'

export type GatewayReady = {
  /** Of the agent on this machine (`--name`), and of the gateway in the fleet. */
  name: string
  gateway: string
  gatewayId: string
  /** URL of the MCP endpoint. */
  endpoint: string
  /** PEM file of the roots that clients need to trust it; absent where they need none. */
  ca?: string
  /** Dials the control plane at once, for a SIGHUP. */
  wake(): void
}

/**
 * Runs a gateway agent until `stopping` aborts or the control plane deletes the gateway; both resolve. Rejects with McpgError for
 * everything a person can mend. Handles no signal and never ends the process.
 */
export async function runGateway({
  flags,
  env,
  stopping,
  onReady = () => {},
  stderr,
}: {
  flags: Flags
  env: Env
  stopping: AbortSignal
  onReady?: (info: GatewayReady) => void
  stderr: { write(text: string): unknown }
}): Promise<void> {
  const settings = readSettings(flags, env)
  const tell = (line: string) => void stderr.write(`${line}\n`)
  const folder = await prepareFolders(settings)
  const policy = await loadPolicy(policyFile(folder))
  const release = await takeFolder(settings, folder)
  const ownLog = lineLog({ folder: join(folder, 'agent-log'), clock: systemClock })
  ownLog.begin()
  const log = createLog(settings.log, { keep: (text) => ownLog.write('agent', text) })
  try {
    if (settings.insecurePlaintext)
      tell('Warning: --insecure-plaintext sends credentials unencrypted to control planes that are not on this machine.')
    if (settings.bind && settings.endpointTls && settings.mayBeOpen)
      tell(
        `Warning: --insecure-allow-unauthenticated lets everybody who reaches ${settings.bind.host}:${settings.bind.port} call every tool of this gateway.`,
      )
    const endpointNames = endpointNamesOf(settings)
    const enrolled = await ensureIdentity({
      ...settings,
      folder,
      url: settings.enrollmentUrl,
      description: describeGateway({ endpoints: [] }),
      endpointNames: endpointNames(),
      clock: systemClock,
      tell,
      stopping,
    })
    if (!enrolled) return
    const calls = credentialCalls({ endpoints: endpointsOf(settings), timers: settings.timers })
    const identity = await withEndpointCertificate(enrolled, { folder, names: endpointNames(), calls, tell })
    const ending = new AbortController()
    let deleted: string | null = null
    const onDecommission = (message: string) => {
      deleted = message || 'it was deleted'
      ending.abort()
    }
    const onSync = crashPoint(env, settings.stateDir)
    const agent = await createAgent({ folder, settings, identity, policy, log, ownLog, onSync, onDecommission })
    const trust = endpointNames() ? { ca: caFile(folder) } : {}
    const runFile = join(settings.stateDir, gatewayRunFile(settings.name))
    try {
      await run([...agent.parts, runFilePart(runFile, agent.mcpUrl, trust)], AbortSignal.any([stopping, ending.signal]), () => {
        log.info({ gateway: identity.name, endpoint: agent.mcpUrl() }, 'serving')
        const { gatewayId, name: gateway } = identity
        onReady({ name: settings.name, gateway, gatewayId, endpoint: agent.mcpUrl(), ...trust, wake: agent.wake })
      })
    } finally {
      if (deleted !== null) {
        await openSlots(configFolder(folder)).erase()
        tell(
          `The gateway ${identity.name} was deleted from the control plane (${deleted}); its servers are stopped and its credentials erased.`,
        )
      }
    }
  } finally {
    await ownLog.flushed()
    release()
  }
}

async function prepareFolders({ stateDir, name, fixPermissions }: Settings): Promise<string> {
  const folder = gatewayFolder(stateDir, name)
  for (const path of [stateDir, folder, join(stateDir, 'run')]) {
    const problem = await prepareStateDir(path, { fixPermissions })
    if (problem) throw stateDirError(problem)
  }
  return folder
}

function stateDirError({ reason, message, fix }: StateDirProblem): McpgError {
  return new McpgError('failed_precondition', `state_dir_${reason}`, `The state dir cannot be used: ${message}.`, {
    hint: reason === 'wide_mode' ? `${fix}, or restart with --fix-permissions` : fix,
  })
}

/** The folder for this process alone, or the error that names who has it. */
async function takeFolder({ stateDir, name }: Settings, folder: string): Promise<() => void> {
  const release = tryLock(folder)
  if (release) return release
  const holder = await readRunFile(join(stateDir, gatewayRunFile(name)))
  const who =
    holder && isSameProcess(holder.pid, holder.startTime) ? ` (pid ${holder.pid}, ${holder.endpoints['mcp'] ?? 'no endpoint'})` : ''
  throw new McpgError('conflict', 'already_running', `A gateway agent runs on ${folder} already${who}.`, {
    hint: `${who ? `kill ${holder!.pid} ends that one, ` : ''}mcpg-ctl stop --all ends all of this state dir; --name <other> starts a second one beside it`,
  })
}

function tryLock(folder: string): (() => void) | null {
  try {
    return lockFolder(folder)
  } catch (error) {
    throw new McpgError(
      'failed_precondition',
      'state_dir_not_writable',
      `${folder} cannot be locked: ${error instanceof Error ? error.message : ''}.`,
      {
        hint: 'mcpg-ctl doctor looks at owner, mode and space',
        cause: error,
      },
    )
  }
}

/** Written once everything serves, gone before anything stops. */
function runFilePart(path: string, mcpUrl: () => string, trust: { ca?: string }) {
  return {
    name: 'run file',
    async start() {
      const file: RunFile = {
        pid: process.pid,
        startTime: startTimeOf(process.pid) ?? '',
        version,
        startedAt: new Date().toISOString(),
        endpoints: { mcp: mcpUrl() },
        ...trust,
      }
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeFileAtomic(path, `${JSON.stringify(file)}\n`)
    },
    async stop() {
      await rm(path, { force: true })
    },
  }
}

async function readRunFile(path: string): Promise<RunFile | null> {
  try {
    return RunFile.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null
  }
}
