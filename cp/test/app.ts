import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import type { Clock } from '@mcpg/core/clock'
import { createApp, type App } from '../src/app.ts'
import { readConfig, type Config } from '../src/config.ts'
import { temporaryFolder } from '../src/db/testing.ts'
import { onEngineOfRun } from './database.ts'

export type TestApp = {
  app: App
  stateDir: string
  /** A request through the whole REST stack; `body` is the parsed JSON of the answer. */
  call(method: NonNullable<InjectOptions['method']>, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  close(): Promise<void>
}
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
export type Answer = { status: number; headers: Record<string, unknown>; body: any }

/** The real control plane on a real database in a folder of its own; nothing listens until `app.http.start` is called. */
export async function testApp({
  clock,
  change = (config) => config,
}: { clock?: Clock; change?: (config: Config) => Config } = {}): Promise<TestApp> {
  const folder = temporaryFolder()
  const flags = { 'state-dir': folder.path, 'bind-http': '127.0.0.1:0', 'bind-grpc': '127.0.0.1:0', 'log-level': 'silent' }
  const { config, remove } = await onEngineOfRun(change(readConfig(flags, {})))
  const app = await createApp(config, clock ? { clock } : {})
  return {
    app,
    stateDir: folder.path,
    async call(method, path, body, headers = {}) {
      const json = body === undefined ? {} : { payload: JSON.stringify(body) }
      const type = body === undefined ? {} : { 'content-type': 'application/json' }
      const answer = await app.http.inject({ method, url: path, ...json, headers: { ...type, ...headers } })
      const isJson = /json/.test(String(answer.headers['content-type']))
      return { status: answer.statusCode, headers: answer.headers, body: isJson && answer.body !== '' ? answer.json() : answer.body }
    },
    async close() {
      for (const part of app.parts.toReversed()) await part.stop()
      await remove()
      folder.remove()
    },
  }
}

export const databaseOf = (stateDir: string): string => join(stateDir, 'mcpg.db')
