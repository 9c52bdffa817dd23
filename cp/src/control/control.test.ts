import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ControlStatus } from '@mcpg/proto/rest/control'
import { version } from '@mcpg/proto/version'
import { testApp, type TestApp } from '../../test/app.ts'

let test: TestApp
beforeAll(async () => {
  test = await testApp()
})
afterAll(() => test.close())

describe('the process', () => {
  it('answers probes, its version and how people sign in', async () => {
    for (const path of ['/healthz', '/readyz']) expect(await test.call('GET', path)).toMatchObject({ status: 200, body: { status: 'ok' } })
    expect((await test.call('GET', '/v1/version')).body).toEqual({ version, protocol: { min: 1, max: 1 } })
    expect((await test.call('GET', '/v1/auth/status')).body).toEqual({ mode: 'none', needsSetup: false })
  })

  it('counts what is in its database', async () => {
    const before = ControlStatus.parse((await test.call('GET', '/v1/control/status')).body)
    const objects = ['a', 'b'].map((name) => ({ kind: 'Server', metadata: { name }, spec: { command: ['x'] } }))
    await test.call('POST', '/v1/orgs/default/workspaces/default/apply', { objects })
    const after = ControlStatus.parse((await test.call('GET', '/v1/control/status')).body)
    expect(after.servers - before.servers).toBe(2)
    expect(after.database.rows.resources! - before.database.rows.resources!).toBe(2)
    expect(after.database.rows.audit! - before.database.rows.audit!).toBe(2)
    expect(after.database.sizeBytes).toBeGreaterThan(50_000)
    expect(after.database.engine).toBe('sqlite')
  })

  it('shows its figures to peers of this machine', async () => {
    const { status, headers, body } = await test.call('GET', '/metrics')
    expect([status, headers['content-type']]).toEqual([200, expect.stringContaining('text/plain')])
    expect(body).toContain('mcpg_gateways{connected="true"} 0')
  })

  it('describes every route as OpenAPI 3.1', async () => {
    const { body } = await test.call('GET', '/v1/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    const operations = Object.values<Record<string, { operationId: string; responses: object }>>(body.paths).flatMap((path) =>
      Object.values(path),
    )
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
    expect(operations.every(({ responses }) => 'default' in responses)).toBe(true)
    expect(body.paths['/v1/orgs/{org}/workspaces/{workspace}/apply'].post.requestBody).toBeDefined()
  })

  it('is not ready while its database cannot be read', async () => {
    const broken = await testApp()
    await broken.app.db.stop()
    rmSync(join(broken.stateDir, 'mcpg.db'))
    const { status, body, headers } = await broken.call('GET', '/readyz')
    expect([status, body.reason, headers['retry-after']]).toEqual([503, 'database_unreachable', '5'])
    expect((await broken.call('GET', '/healthz')).status).toBe(200)
    await broken.close()
  })

  it('writes down who asked for its end', async () => {
    const asked = await testApp()
    const ended = new Promise<void>((resolve) => asked.app.control.stopRequested.addEventListener('abort', () => resolve()))
    expect((await asked.call('POST', '/v1/control/stop')).status).toBe(202)
    await ended
    expect(await asked.app.db.read.audit.count({ where: { action: 'control.stop', actor: 'local' } })).toBe(1)
    await asked.close()
  })
})
