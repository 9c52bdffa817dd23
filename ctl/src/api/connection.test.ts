import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { testAuthority, type TestAuthority } from '@mcpg/core/test-authority'
import { ctl } from '../../test/env.ts'

let authority: TestAuthority
let stranger: TestAuthority
beforeAll(async () => {
  authority = await testAuthority()
  stranger = await testAuthority('stranger')
})

/** A control plane that knows its roots and its version. */
async function controlPlane(names = ['127.0.0.1']) {
  const seen: string[] = []
  const server = createServer(await authority.server(names), (request, response) => {
    seen.push(`${request.url} ${request.headers.authorization ?? ''}`.trim())
    if (request.url === '/v1/ca-cert.pem') return response.end(authority.pem)
    response.setHeader('content-type', 'application/json')
    return response.end(JSON.stringify({ version: '1.2.3', protocol: { min: 1, max: 1 } }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

const asking = (url: string, more: Record<string, string> = {}) =>
  ctl(['version', '-o', 'json'], {
    variables: { MCPG_CP_URL: url, MCPG_TOKEN: 'secret-token', MCPG_STATE_DIR: '/nonexistent/state', ...more },
  })

describe('a command to an https control plane', () => {
  it('asks it once its authority has the pin of the URL', async () => {
    const { url, seen } = await controlPlane()
    const { code, stdout } = await asking(`${url}#pin=${authority.pin}`)
    expect({ code, answer: JSON.parse(stdout) as unknown }).toMatchObject({ code: 0, answer: { controlPlane: { version: '1.2.3' } } })
    expect(seen).toEqual(['/v1/ca-cert.pem', '/v1/version Bearer secret-token'])
  })

  it('says nothing secret to one with another pin, and names both', async () => {
    const { url, seen } = await controlPlane()
    const { code, stderr } = await ctl(['get', 'servers'], {
      variables: { MCPG_CP_URL: `${url}#pin=${stranger.pin}`, MCPG_TOKEN: 'secret-token', MCPG_STATE_DIR: '/nonexistent/state' },
    })
    expect(code).toBe(3)
    expect(stderr).toContain(stranger.pin)
    expect(stderr).toContain(authority.pin)
    expect(seen).toEqual(['/v1/ca-cert.pem'])
  })

  it.each([
    ['without the pin', (url: string) => url, ['127.0.0.1'], /probably lost(.|\n)*hint: put the whole URL in single quotes/, 2],
    ['with a pin that was cut', (url: string) => `${url}#pin=${authority.pin.slice(0, 20)}`, ['127.0.0.1'], /may have been cut/, 2],
    [
      'under a name that is not its own',
      (url: string) => `${url}#pin=${authority.pin}`,
      ['cp.example.com'],
      /for other names: cp\.example\.com/,
      6,
    ],
  ])('%s fails in words', async (_, change, names, said, exit) => {
    const { url, seen } = await controlPlane(names)
    const { code, stderr } = await ctl(['get', 'servers'], {
      variables: { MCPG_CP_URL: change(url), MCPG_TOKEN: 'secret-token', MCPG_STATE_DIR: '/nonexistent/state' },
    })
    expect(stderr).toMatch(said)
    expect(code).toBe(exit)
    expect(seen.join()).not.toContain('secret-token')
  })
})
