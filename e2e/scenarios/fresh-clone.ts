import { execFileSync } from 'node:child_process'

import { delimiter, join } from 'node:path'
import { temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { startQuickstart } from './quickstart.ts'

/**
 * A clone of the committed state in a folder of its own, started with nothing in the environment but a home folder (whose package cache is
 * the warm one), the registry that npm is set to, and a PATH to Node, npm and git.
 */
export async function cloneAndStart(say: (line: string) => void) {
  const folder = join(temporaryFolder(), 'clone')
  const source = join(import.meta.dirname, '../..')
  execFileSync('git', ['clone', '--quiet', source, folder], { stdio: 'ignore' })
  const stateDir = join(temporaryFolder(), 'state')
  const started = performance.now()
  const running = await startQuickstart(stateDir, 600_000, { folder, env: bareEnvironment() })
  say(`fresh clone: ${(running.toReadyMs / 1000).toFixed(1)} s to /readyz, ${(running.toToolsMs / 1000).toFixed(1)} s to tools/list`)
  const session = await legacySession(running.mcp)
  const result = (await session.call('everything__echo', { message: 'hello' })) as { content?: { text?: string }[] }
  const toCallMs = performance.now() - started
  await session.close()
  await running.interrupt()
  return {
    toReadyMs: running.toReadyMs,
    toToolsMs: running.toToolsMs,
    toCallMs,
    answer: result.content?.[0]?.text ?? JSON.stringify(result),
  }
}

/** Without the pinned Node and the tools of this clone: the fresh one must bring its own. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const own = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  const { HOME, npm_config_registry: registry } = process.env
  return {
    PATH: own.join(delimiter),
    ...(HOME ? { HOME } : {}),
    ...(registry ? { npm_config_registry: registry } : {}),
    MCPG_BIND: '127.0.0.1:0',
  }
}
