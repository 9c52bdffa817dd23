import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { ServerInput } from './fleet.ts'

const { resolve } = createRequire(import.meta.url)

/** A server as its authors publish it, started from the installed package. */
export function published(name: string, args: string[] = [], env: { name: string; value: string }[] = []): ServerInput {
  const entry = join(resolve(`@modelcontextprotocol/server-${name}/package.json`), '../dist/index.js')
  return { name, spec: { command: [process.execPath, entry, ...args], ...(env.length > 0 && { env }) } }
}
