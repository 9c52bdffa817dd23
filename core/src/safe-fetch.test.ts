import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { isInnerAddress, safeFetch } from './safe-fetch.ts'

const servers: ReturnType<typeof createServer>[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function serve(answer: RequestListener): Promise<URL> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

describe('an address', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '0.0.0.0',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
  ])('%s is of an inner network', (address) => expect(isInnerAddress(address)).toBe(true))
  it.each(['93.184.216.34', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) =>
    expect(isInnerAddress(address)).toBe(false),
  )
})

describe('a fetch of what somebody else named', () => {
  it('reaches the host that the operator named', async () => {
    const url = await serve((_request, response) => response.end('{"ok":true}'))
    expect(await (await safeFetch(url)(url)).json()).toEqual({ ok: true })
  })

  it.each([
    'http://127.0.0.2/keys',
    'https://10.0.0.1/keys',
    'https://[::1]/keys',
    'https://169.254.169.254/latest',
    'http://example.com/keys',
  ])('refuses %s, which a document of the issuer names', async (url) => {
    await expect(safeFetch(new URL('https://issuer.example'))(url)).rejects.toThrow(/inner network|not reached by https/)
  })

  it('refuses a name that leads into an inner network, as the connection is made', async () => {
    const refused = safeFetch(new URL('https://issuer.example'))('https://localhost/keys')
    await expect(refused).rejects.toMatchObject({ cause: { message: 'localhost is an address of an inner network' } })
  })

  it('follows no redirect and reads no endless answer', async () => {
    const away = await serve((_request, response) => response.writeHead(302, { location: '/elsewhere' }).end())
    await expect(safeFetch(away)(away)).rejects.toThrow('fetch failed')
    const endless = await serve((_request, response) => response.end('x'.repeat((1 << 20) + 1)))
    await expect(safeFetch(endless)(endless)).rejects.toThrow('longer than 1 MiB')
  })
})
