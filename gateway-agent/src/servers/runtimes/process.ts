import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import { readLines, type ReadBudget } from '../../logs/intake.ts'
import { connectStdio } from '../../mcp/stdio.ts'
import type { ResolvedServer } from '../../secrets/resolved.ts'
import { clientInfo } from '../client-info.ts'
import type { Trees } from '../tree/trees.ts'
import { childEnvironment } from './environment.ts'
import { StartFailure, type LaunchIo, type Running, type Runtime } from './runtime.ts'

export type ProcessDeps = { trees: Trees; clock: Clock; readBudget: ReadBudget; /** `<gateway folder>/work`. */ workFolder: string }

/** A command of this machine. */
export function processRuntime(server: ResolvedServer, deps: ProcessDeps): Runtime {
  const launch = stdioLauncher(server, deps)
  return {
    prepare: () => Promise.resolve({}),
    launch: (io) => launch(server.command ?? [], io),
  }
}

/** Starts argument vectors as stdio servers of this definition; shared by every runtime that ends in a process. */
export function stdioLauncher(server: ResolvedServer, { trees, clock, readBudget, workFolder }: ProcessDeps) {
  let era = server.era
  return launch

  async function launch(argv: string[], { instanceId, client, onLine, onLost }: LaunchIo): Promise<Running> {
    const env = childEnvironment(server)
    const cwd = workingFolder(server, workFolder)
    const [program = '', ...args] = argv
    const tree = await trees.start(instanceId, { argv: [findExecutable(program, env['PATH'] ?? '', cwd), ...args], cwd, env })
    readLines(tree.stderr, { onLine: (line) => onLine('stderr', line), onLost, budget: readBudget, clock })
    const drained = new Promise<void>((done) => tree.stderr.once('close', done))
    let again = false
    return {
      connect,
      retry: () => again,
      ended: ended(),
      stop: () => tree.stop(server.stopGraceMs),
    }

    async function connect(timeoutMs: number) {
      try {
        return await connectStdio({
          stdin: tree.stdin,
          stdout: tree.stdout,
          era,
          timeoutMs,
          clientInfo,
          client,
          clock,
          maxLineBytes: maxMessageBytes,
          onJunk: (line) => onLine('stdout', line),
        })
      } catch (error) {
        if (error instanceof McpgError && error.reason === 'died_on_discover' && era === 'auto') {
          era = 'legacy'
          again = true
        }
        throw error
      }
    }

    async function ended() {
      const exit = await tree.exited
      // The last words are often still in the pipe; a child that holds it open does not get to delay the news.
      await Promise.race([drained, new Promise<void>((done) => clock.after(250, done))])
      if (exit.error !== undefined) return { reason: 'SpawnFailed', message: spawnMessage(exit.error, argv) }
      return { ...(exit.code === null ? {} : { exitCode: exit.code }), ...(exit.signal === null ? {} : { signal: exit.signal }) }
    }
  }
}

/** One message of a server; 1 MiB above the largest result that is passed on. */
const maxMessageBytes = 17 * 1024 * 1024

/** The definition's own folder, else one that belongs to the server and outlives its instances. */
function workingFolder({ cwd, name }: ResolvedServer, workFolder: string): string {
  if (cwd === undefined) {
    const folder = join(workFolder, name)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  }
  const folder = resolve(cwd)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new StartFailure('SpawnFailed', `working folder not found: ${folder}`)
  return folder
}

/** The kernel's ENOENT does not say whether the program, its interpreter or the folder is missing; looking first does. */
function findExecutable(program: string, path: string, cwd: string): string {
  const candidates =
    program.includes('/') || isAbsolute(program)
      ? [resolve(cwd, program)]
      : path
          .split(delimiter)
          .flatMap((folder) => (folder === '' ? [] : extensions().map((extension) => resolve(cwd, folder, program + extension))))
  const files = candidates.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
  if (files.length === 0) throw new StartFailure('SpawnFailed', notFound(program))
  const found = files.find(isExecutable)
  if (found === undefined)
    throw new StartFailure('SpawnFailed', `not executable: ${files[0]} (chmod +x it, or name the interpreter in the command)`)
  return found
}

const notFound = (program: string) =>
  program.includes('/') ? `command not found: ${program}` : `command not found: ${program} is not in any folder of the agent's PATH`

const extensions = () => (process.platform === 'win32' ? ['', ...(process.env['PATHEXT'] ?? '.EXE;.CMD').split(';')] : [''])

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function spawnMessage(error: string, [program = '']: string[]): string {
  if (error === 'ENOENT') return `command not found: ${program} or the interpreter in its first line does not exist`
  if (error === 'EACCES' || error === 'ENOEXEC') return `not executable: ${program}`
  if (error === 'E2BIG') return `the arguments and variables of ${program} are larger than the system allows`
  return `${program} could not be started (${error})`
}
