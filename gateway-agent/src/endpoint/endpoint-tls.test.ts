import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type PeerCertificate } from 'node:tls'
import { once } from 'node:events'
import { request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { testAuthority, type TestAuthority } from '@mcpg/core/test-authority'
import { fakeControlPlane, type Knobs } from '../../test/fake-control-plane.ts'
import { until } from '../../test/until.ts'
import type { Flags } from '../config.ts'
import { runGateway, type GatewayReady } from '../main.ts'

let authority: TestAuthority
beforeAll(async () => {
  authority = await testAuthority()
})

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'mcpg-tls-'))
  cleanups.push(() => rm(path, { recursive: true, force: true }))
  return path
}

async function plane(knobs: Partial<Knobs> = {}) {
  const found = await fakeControlPlane(knobs, { authority })
  cleanups.push(() => found.stop())
  return found
}

function launch(stateDir: string, flags: Flags) {
  const stopping = new AbortController()
  const said: string[] = []
  const ready = Promise.withResolvers<GatewayReady>()
  const ended = runGateway({
    flags: { 'state-dir': stateDir, bind: '0.0.0.0:0', insecureAllowUnauthenticated: true, 'log-level': 'silent', ...flags },
    env: { MCPG_TIMERS: 'firstReconnect=20,reconnectBase=10,reconnectMax=40,statusFlush=10,certificateCheck=20' },
    stopping: stopping.signal,
    onReady: ready.resolve,
    stderr: { write: (line) => said.push(line) },
  })
  ended.catch(ready.reject)
  ready.promise.catch(() => {})
  const stop = async () => {
    stopping.abort()
    await ended.catch(() => {})
  }
  cleanups.push(stop)
  return { said, ready: ready.promise, ended, stop }
}

const portOf = ({ endpoint }: GatewayReady) => Number(new URL(endpoint).port)

/** GET over TLS at 127.0.0.1, trusting `ca` only. */
async function get(port: number, path: string, ca: string): Promise<{ status: number | undefined; body: string }> {
  const asked = request({ host: '127.0.0.1', port, path, ca, agent: false }).end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: answer.statusCode, body: await text(answer) }
}

async function shown(port: number): Promise<PeerCertificate> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerCertificate()
  socket.destroy()
  return certificate
}

describe('an endpoint that others reach', () => {
  it('speaks TLS with a certificate of the control plane, and nothing else', async () => {
    const controlPlane = await plane()
    const stateDir = await folder()
    const agent = launch(stateDir, { 'enrollment-url': controlPlane.enrollmentUrl() })
    const info = await agent.ready
    expect(info.endpoint).toMatch(/^https:\/\//)
    expect(agent.said.join('\n')).toMatch(/Warning: --insecure-allow-unauthenticated lets everybody who reaches 0\.0\.0\.0:0/)
    const ca = await readFile(info.ca ?? '', 'utf8')
    expect(await get(portOf(info), '/healthz', ca)).toMatchObject({ status: 200 })
    expect((await controlPlane.session()).hello?.description?.endpoints).toEqual([info.endpoint])
    const plain = await fetch(`http://127.0.0.1:${portOf(info)}/healthz`)
    expect([plain.status, await plain.text()]).toEqual([400, expect.stringContaining('https://')])
  })

  it('shows the next certificate to the next connection once it is renewed', async () => {
    const controlPlane = await plane({ certificateLifeMs: 2_000 })
    const info = await launch(await folder(), { 'enrollment-url': controlPlane.enrollmentUrl() }).ready
    const first = await shown(portOf(info))
    controlPlane.knobs.certificateLifeMs = 86_400_000
    await until('another certificate', async () => (await shown(portOf(info))).serialNumber !== first.serialNumber)
    expect(controlPlane.renewals.at(-1)?.endpointCsr.length).toBeGreaterThan(0)
  })

  it('asks for a certificate when it is bound beyond loopback later, and keeps it when the control plane is gone', async () => {
    const controlPlane = await plane()
    const stateDir = await folder()
    const inner = launch(stateDir, { 'enrollment-url': controlPlane.enrollmentUrl(), bind: '127.0.0.1:0' })
    expect((await inner.ready).endpoint).toMatch(/^http:/)
    await inner.stop()
    const outer = launch(stateDir, {})
    expect((await outer.ready).endpoint).toMatch(/^https:/)
    await outer.stop()
    await controlPlane.stop()
    expect((await shown(portOf(await launch(stateDir, {}).ready))).subjectaltname).toContain('127.0.0.1')
  })

  it('does not start without one, and says how to have one', async () => {
    const controlPlane = await plane()
    const stateDir = await folder()
    const inner = launch(stateDir, { 'enrollment-url': controlPlane.enrollmentUrl(), bind: '127.0.0.1:0' })
    await inner.ready
    await inner.stop()
    await controlPlane.stop()
    await expect(launch(stateDir, {}).ended).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'endpoint_certificate_missing',
      hint: expect.stringMatching(/--tls-cert-file/) as string,
    })
  })

  it('shows files of its own instead, and those that replace them', async () => {
    const controlPlane = await plane()
    const stateDir = await folder()
    const files = await folder()
    const [cert, key] = [join(files, 'cert.pem'), join(files, 'key.pem')]
    const put = async (name: string) => {
      const pair = await authority.server([name])
      await writeFile(key, pair.key)
      await writeFile(cert, pair.cert)
    }
    await put('first.example')
    const info = await launch(stateDir, { 'enrollment-url': controlPlane.enrollmentUrl(), tlsCertFile: cert, tlsKeyFile: key }).ready
    expect(info.ca).toBeUndefined()
    expect((await shown(portOf(info))).subjectaltname).toBe('DNS:first.example')
    await put('second.example')
    await until('the second certificate', async () => (await shown(portOf(info))).subjectaltname === 'DNS:second.example')
  })
})
