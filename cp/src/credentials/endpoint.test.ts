import { createClient } from '@connectrpc/connect'
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '@mcpg/core/log'
import { defaultTimers } from '@mcpg/core/timers'
import { EnrollResponseSchema } from '@mcpg/proto/gen/enrollment'
import { GatewayService } from '@mcpg/proto/gen/gateway'
import type { X509Chain } from '@mcpg/proto/gen/types'
import { fromJson } from '@bufbuild/protobuf'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { certified, type Certified } from '../../test/certified.ts'
import { testFleet, type TestFleet } from '../../test/fleet.ts'
import { csrOf, enrollRequest, newIdentity, newKeys } from '../../test/identity.ts'
import { endpointCertificates } from './endpoint.ts'

let fleet: TestFleet
let plain: TestFleet
let gateway: Certified
beforeAll(async () => {
  fleet = await testFleet({ tls: true })
  plain = await testFleet()
  gateway = await certified(fleet, 'edge')
})
afterAll(async () => {
  await fleet.close()
  await plain.close()
})

const dns = (value: string) => ({ type: 'dns' as const, value })
const ip = (value: string) => ({ type: 'ip' as const, value })

/** Names that are granted of those asked for, by a control plane with these names of its own. */
async function granted(names: ReturnType<typeof dns | typeof ip>[], source = '192.0.2.9'): Promise<string> {
  const endpoints = endpointCertificates({
    authority: fleet.app().authority,
    timers: defaultTimers,
    rules: { controlPlaneNames: () => ['10.0.0.1', 'cp', 'cp.example.com'], domains: ['example.com'] },
    log: createLog({ level: 'silent', json: true }),
  })
  const { chain } = await endpoints.issue(await csrOf(await newKeys(), names), 'gw_1', source)
  return leafOf(chain).subjectAltName!.replaceAll('IP Address:', '').replaceAll('DNS:', '')
}
const leafOf = (chain: X509Chain): X509Certificate => new X509Certificate(chain.certificates[0]!)

describe('an endpoint certificate', () => {
  it('is a server leaf of a day for the names of the endpoint, by enrollment and by renewal', async () => {
    const { token } = await fleet.createEnrollment()
    const endpointCsr = await csrOf(await newKeys(), [ip('10.0.0.5'), dns('edge-1')])
    const answer = await fleet.call('POST', `/enroll/${token}`, enrollRequest({ ...(await newIdentity()), endpointCsr }, 'wide', 1))
    const first = leafOf(fromJson(EnrollResponseSchema, answer.body).endpointCertificate!)
    expect([first.subjectAltName, first.keyUsage]).toEqual(['IP Address:10.0.0.5, DNS:edge-1', ['1.3.6.1.5.5.7.3.1']])
    const renewed = await gateway.gateway(gateway.first).renewCredential({ endpointCsr })
    expect(renewed.credential).toBeUndefined()
    expect(leafOf(renewed.endpointCertificate!).validToDate.getTime() - Date.now()).toBeLessThan(86_400_001)
    expect((await fleet.gateway('edge')).status.credential.renewals).toBe(0)
    const rows = await fleet.db().read.audit.findMany({ where: { name: { in: ['edge', 'wide'] } }, orderBy: { at: 'asc' } })
    expect(rows.map(({ action, name, detail }) => [action, name, JSON.parse(detail!)])).toEqual([
      ['gateway.enroll', 'edge', { serial: expect.any(String), notAfter: expect.any(String) }],
      ['gateway.enroll', 'wide', expect.objectContaining({ endpointNames: ['10.0.0.5', 'edge-1'] })],
      ['gateway.certify_endpoint', 'edge', { names: ['10.0.0.5', 'edge-1'] }],
    ])
  })

  it('is given to a gateway with a bearer too, which has no certificate to renew', async () => {
    const { bearer } = await plain.join('near')
    const client = createClient(GatewayService, createGrpcTransport({ baseUrl: plain.app().fleet.grpcUrl() }))
    const headers = { authorization: `Bearer ${bearer}` }
    const endpointCsr = await csrOf(await newKeys(), [dns('localhost')])
    expect(leafOf((await client.renewCredential({ endpointCsr }, { headers })).endpointCertificate!).subjectAltName).toBe('DNS:localhost')
    const csr = await csrOf(await newKeys())
    const identity = client.renewCredential({ csr, idempotencyKey: new Uint8Array(16), credentialSequence: 1n }, { headers })
    await expect(identity).rejects.toThrow(/bearer does not expire/)
  })

  it.each<[string, ReturnType<typeof dns | typeof ip>[], string]>([
    ['loopback', [ip('127.0.0.1'), ip('::1'), dns('localhost')], '127.0.0.1, 0:0:0:0:0:0:0:1, localhost'],
    ['private addresses', [ip('10.1.2.3'), ip('192.168.1.2'), ip('fd00::5')], '10.1.2.3, 192.168.1.2, FD00:0:0:0:0:0:0:5'],
    ['the public address it calls from, and no other', [ip('192.0.2.9'), ip('198.51.100.1')], '192.0.2.9'],
    ['names that only its network knows', [dns('edge-1'), dns('edge.local'), dns('EDGE.internal')], 'edge-1, edge.local, edge.internal'],
    [
      'public names of the domains that are allowed, and no other',
      [dns('a.example.com'), dns('a.example.org'), dns('badexample.com')],
      'a.example.com',
    ],
    ['nothing that is the control plane', [ip('10.0.0.1'), dns('cp'), dns('cp.example.com'), dns('edge')], 'edge'],
    ['no wildcard', [dns('*.example.com'), dns('*'), dns('edge')], 'edge'],
  ])('has %s', async (_what, names, expected) => {
    expect(await granted(names)).toBe(expected)
  })

  it('is refused when no name is left, with the reason for each, and the token is as it was', async () => {
    const names = [dns('*.local'), dns('bank.example.org'), ip('198.51.100.1'), dns('not a host'), { type: 'email' as const, value: 'a@b' }]
    await expect(granted(names as never)).rejects.toMatchObject({
      code: 'forbidden',
      reason: 'endpoint_name_refused',
      violations: [
        { detail: '*.local: wildcards are not certified.' },
        { detail: 'bank.example.org: a public name needs --endpoint-domain at the control plane.' },
        { detail: '198.51.100.1: a public address must be the one that the gateway calls from.' },
        { detail: 'not a host: this is not a host name.' },
        { detail: 'a@b: only host names and addresses are certified.' },
      ],
    })
    const { token, name } = await fleet.createEnrollment()
    const endpointCsr = await csrOf(await newKeys(), [dns('bank.example.org')])
    const answer = await fleet.call('POST', `/enroll/${token}`, enrollRequest({ ...(await newIdentity()), endpointCsr }, 'greedy', 1))
    expect([answer.status, answer.body.reason]).toEqual([403, 'endpoint_name_refused'])
    const { items } = (await fleet.call('GET', '/v1/orgs/default/workspaces/default/environments/default/enrollments')).body
    expect(items.find((one: { metadata: { name: string } }) => one.metadata.name === name).status.usedCount).toBe(0)
  })

  it('asks for at least one name and at most 64', async () => {
    await expect(granted([])).rejects.toMatchObject({ reason: 'csr_invalid' })
    await expect(granted(Array.from({ length: 65 }, (_, index) => dns(`edge-${index}`)))).rejects.toMatchObject({ reason: 'csr_invalid' })
  })
})
