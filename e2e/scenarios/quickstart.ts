import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSameProcess } from '@mcpg/core/process-identity'
import { controlPlaneRunFile, gatewayRunFile, RunFile } from '@mcpg/proto/run-files'
import { closeLater } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'

const clone = join(import.meta.dirname, '../..')

/**
 * `npm run quickstart` as a person types it, in the clone `folder`, timed from the Enter key. Ports are free ones unless `args` name others.
 * Resolves when the aggregated endpoint lists tools.
 */
export async function startQuickstart(
  stateDir: string,
  deadlineMs = 60_000,
  {
    folder = clone,
    env = { ...process.env, MCPG_BIND: '127.0.0.1:0' },
    args = ['--bind-http', '127.0.0.1:0', '--bind-grpc', '127.0.0.1:0'],
  }: QuickstartPlace = {},
) {
  const started = performance.now()
  const sinceStart = () => performance.now() - started
  const child = spawn('npm', ['run', '-s', 'quickstart', '--', '--no-browser', '--state-dir', stateDir, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, as a terminal gives it: Ctrl-C reaches every process of the group.
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exited = once(child, 'close').then(([code]) => code as number | null)
  closeLater(async () => {
    signalGroup('SIGKILL')
    await exited
  })

  const http = (await eventually(() => endpointsOf(join(stateDir, controlPlaneRunFile))))['http'] ?? ''
  await eventually(() => fetch(`${http}/readyz`).then(({ status }) => status === 200))
  const toReadyMs = sinceStart()
  const mcp = (await eventually(() => endpointsOf(join(stateDir, gatewayRunFile('quickstart')))))['mcp'] ?? ''
  const tools = await eventually(() => listTools(mcp))
  return { toReadyMs, toToolsMs: sinceStart(), http, mcp, tools, output: () => output, interrupt, exited }

  /** Ctrl-C, and waits for the end. */
  async function interrupt(): Promise<number | null> {
    signalGroup('SIGINT')
    return exited
  }

  function signalGroup(signal: NodeJS.Signals): void {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    process.kill(-child.pid, signal)
  }

  /** Polled closely: what is measured is the program and not the waiting. */
  async function eventually<T>(condition: () => Promise<T> | T): Promise<NonNullable<T>> {
    let last: unknown
    while (sinceStart() < deadlineMs && child.exitCode === null) {
      try {
        const value = await condition()
        if (value) return value as NonNullable<T>
      } catch (error) {
        last = error
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    throw new Error(`quickstart did not get ready in ${sinceStart().toFixed(0)} ms (exit ${child.exitCode}):\n${output}`, { cause: last })
  }
}
export type QuickstartPlace = { folder?: string; env?: NodeJS.ProcessEnv; args?: string[] }

function endpointsOf(path: string): Record<string, string> | null {
  if (!existsSync(path)) return null
  const { pid, startTime, endpoints } = RunFile.parse(JSON.parse(readFileSync(path, 'utf8')))
  return isSameProcess(pid, startTime) ? endpoints : null
}

async function listTools(url: string): Promise<string[] | null> {
  const session = await legacySession(url)
  const tools = await session.tools()
  await session.close()
  return tools.length > 0 ? tools : null
}
