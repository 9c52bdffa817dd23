import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunFile } from '@mcpg/proto/run-files'
import type { Endpoints } from './control/control.ts'
import { temporaryFolder } from './db/testing.ts'
import { serve } from './main.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

/** Starts a control plane; `ended` settles with it. */
async function start(flags: Record<string, string> = {}) {
  const stopping = new AbortController()
  const output: string[] = []
  const { promise: endpoints, resolve: ready } = Promise.withResolvers<Endpoints>()
  const all = { 'state-dir': folder.path, 'bind-http': '127.0.0.1:0', 'bind-grpc': '127.0.0.1:0', ...flags }
  const ended = serve({
    flags: all,
    env: {},
    stopping: stopping.signal,
    stderr: { write: (text: string) => output.push(text) },
    onReady: ready,
  })
  ended.catch(() => {})
  return {
    endpoints: await Promise.race([
      endpoints,
      ended.then(() => {
        throw new Error('it ended')
      }),
    ]),
    ended,
    stop: () => stopping.abort(),
    output,
  }
}

describe('serve', () => {
  it('is ready with a run file that names it, and leaves none when it is told to stop', async () => {
    const running = await start()
    const path = join(folder.path, 'run/control-plane.json')
    const run = RunFile.parse(JSON.parse(readFileSync(path, 'utf8')))
    expect(run).toMatchObject({ pid: process.pid, endpoints: running.endpoints })
    expect((await fetch(`${running.endpoints.http}/readyz`)).status).toBe(200)
    running.stop()
    await running.ended
    expect(existsSync(path)).toBe(false)
    await expect(fetch(`${running.endpoints.http}/readyz`)).rejects.toThrow('fetch failed')
  })

  it('ends when it is asked to by REST, and starts again on what it left', async () => {
    const running = await start()
    const created = await fetch(`${running.endpoints.http}/v1/orgs`, {
      method: 'POST',
      body: '{"name":"acme"}',
      headers: { 'content-type': 'application/json' },
    })
    expect(created.status).toBe(201)
    const status = (await (await fetch(`${running.endpoints.http}/v1/control/status`)).json()) as {
      endpoints: Endpoints
      database: { migrations: number }
    }
    expect(status.endpoints).toEqual(running.endpoints)
    expect(status.database.migrations).toBeGreaterThan(0)
    expect((await fetch(`${running.endpoints.http}/v1/control/stop`, { method: 'POST' })).status).toBe(202)
    await running.ended
    const again = await start()
    const { items } = (await (await fetch(`${again.endpoints.http}/v1/orgs`)).json()) as { items: { name: string }[] }
    expect(items.map(({ name }) => name)).toEqual(['acme', 'default'])
    again.stop()
    await again.ended
  })

  it('refuses a second control plane on the same state dir and names the first', async () => {
    const running = await start()
    await expect(start()).rejects.toMatchObject({
      code: 'failed_precondition',
      reason: 'state_dir_locked',
      message: expect.stringContaining(`pid ${process.pid} at ${running.endpoints.http}`),
    })
    expect((await fetch(`${running.endpoints.http}/readyz`)).status).toBe(200)
    running.stop()
    await running.ended
  })

  it('says who has its port, and leaves the state dir free again', async () => {
    const running = await start()
    const other = temporaryFolder()
    const taken = start({ 'state-dir': other.path, 'bind-http': new URL(running.endpoints.http).host })
    await expect(taken).rejects.toMatchObject({
      code: 'failed_precondition',
      reason: 'port_taken',
      hint: expect.stringContaining('--bind-http'),
    })
    running.stop()
    await running.ended
    const second = await start({ 'state-dir': other.path })
    second.stop()
    await second.ended
    other.remove()
  })

  it.each<[string, (path: string) => void, string, RegExp]>([
    ['that others can read', (path) => chmodSync(path, 0o755), 'state_dir_wide_mode', /chmod 700/],
    ['whose database is damaged', (path) => writeFileSync(join(path, 'mcpg.db'), 'no database '.repeat(500)), 'database_damaged', /backup/],
  ])('refuses a state dir %s, with the remedy', async (_, spoil, reason, hint) => {
    spoil(folder.path)
    await expect(start()).rejects.toMatchObject({ code: 'failed_precondition', reason, hint: expect.stringMatching(hint) })
  })

  it('refuses a state dir that is a file', async () => {
    const path = join(folder.path, 'file')
    writeFileSync(path, '')
    await expect(start({ 'state-dir': path })).rejects.toMatchObject({ reason: 'state_dir_not_a_folder' })
  })

  it('stops in order when it is told to during its start', async () => {
    const stopping = new AbortController()
    mkdirSync(join(folder.path, 'run'))
    let ready = false
    const flags = { 'state-dir': folder.path, 'bind-http': '127.0.0.1:0', 'bind-grpc': '127.0.0.1:0' }
    const ended = serve({ flags, env: {}, stopping: stopping.signal, stderr: { write: () => {} }, onReady: () => (ready = true) })
    stopping.abort()
    await ended
    expect(ready).toBe(false)
    const again = await start()
    again.stop()
    await again.ended
  })

  it('writes its log where it is told, and to the given stream otherwise', async () => {
    const file = join(folder.path, 'cp.log')
    const logged = await start({ 'log-file': file, 'log-level': 'debug', 'json-logs': 'true' })
    await fetch(`${logged.endpoints.http}/v1/version`)
    logged.stop()
    await logged.ended
    expect(readFileSync(file, 'utf8')).toContain('/v1/version')
    expect(logged.output).toEqual([])
    const streamed = await start({ 'log-level': 'debug' })
    await fetch(`${streamed.endpoints.http}/enroll/mcpg_enr_canarycanarycanarycanary`)
    streamed.stop()
    await streamed.ended
    expect(streamed.output.join('')).toContain('/enroll/[redacted]')
    expect(streamed.output.join('')).not.toContain('canary')
  })
})
