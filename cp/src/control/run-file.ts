import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import type { Part } from '@mcpg/core/lifecycle'
import { isSameProcess, startTimeOf } from '@mcpg/core/process-identity'
import { controlPlaneRunFile, RunFile } from '@mcpg/proto/run-files'
import { version } from '@mcpg/proto/version'
import type { Endpoints } from './control.ts'

/** Last part to start and first to stop: while the file is there, the control plane is ready. */
export function runFile(stateDir: string, { endpoints, pins }: { endpoints: () => Endpoints; pins: string[] }): Part {
  const path = join(stateDir, controlPlaneRunFile)
  return {
    name: 'run file',
    async start() {
      const content: RunFile = {
        pid: process.pid,
        startTime: startTimeOf(process.pid) ?? '',
        version,
        startedAt: new Date().toISOString(),
        endpoints: endpoints(),
        ...(pins.length > 0 && { pins }),
      }
      await writeFileAtomic(path, `${JSON.stringify(content, null, 2)}\n`)
    },
    async stop() {
      rmSync(path, { force: true })
    },
  }
}

/** The control plane that runs on a state dir, by its file; null for a leftover or none. */
export async function findRunning(stateDir: string): Promise<RunFile | null> {
  const text = await readFile(join(stateDir, controlPlaneRunFile), 'utf8').catch(() => null)
  const parsed = text === null ? null : RunFile.safeParse(parseJson(text))
  return parsed?.success && isSameProcess(parsed.data.pid, parsed.data.startTime) ? parsed.data : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
