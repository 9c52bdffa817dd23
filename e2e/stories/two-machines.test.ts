import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { CreatedEnrollment } from '@mcpg/proto/rest/enrollments'
import { shareWithFile } from '../harness/cleanup.ts'
import { whyNoShiftedClock } from '../harness/clock.ts'
import { whyNoMachines } from '../harness/machines.ts'
import { ctl, startGateway } from '../harness/programs.ts'
import {
  backAfter,
  callFromThere,
  callsDuringRenewals,
  controlPlaneAndMachine,
  withClock,
  type Machines,
} from '../scenarios/two-machines.ts'

const noMachines = whyNoMachines()
const noClock = noMachines ?? whyNoShiftedClock()

describe.skipIf(noMachines)('two machines', () => {
  let machines: Machines
  beforeAll(async () => {
    machines = await shareWithFile(() => controlPlaneAndMachine())
  }, 60_000)

  it('enroll over TLS by the pin of the URL, serve, and show what they trust', async () => {
    const { edge, enroll, connected, serve, there } = machines
    await serve()
    const url = await enroll('edge')
    expect(url).toMatch(/^https:\/\/10\.\d+\.\d+\.1:\d+\/enroll\/mcpg_enr_.*#pin=sha256:[\w-]{43}$/)
    const gateway = await startGateway({ ...edge, url })
    await connected('edge')
    expect(await callFromThere(edge, 'across a cable')).toBe('across a cable')
    const facts = await ctl(['gateway-status'], edge)
    expect(facts.stdout).toMatch(/credential: +certificate, issue 1, expires .* renewed .*/)
    expect(facts.stdout).toContain(url.slice(url.indexOf('sha256:')))
    expect(machines.requests()).toContain('/enroll/[redacted]')
    expect((await ctl(['status'], machines.centre)).stdout).toContain(url.slice(url.indexOf('#pin=')))
    await gateway.stop()

    // An endpoint that the other machine reaches: over TLS, with a certificate of the same authority.
    const open = await startGateway({ ...edge, args: ['--bind', `${there.address}:0`, '--insecure-allow-unauthenticated'] })
    expect(open.endpoint).toMatch(new RegExp(`^https://${there.address}:`))
    expect(await callFromThere(edge, 'to itself')).toBe('to itself')
    await connected('edge')
    expect((await machines.gateway('edge')).status['endpoints']).toEqual([open.endpoint])
    const ca = join(edge.stateDir, 'gateways/default/ca.pem')
    expect(open.output()).toContain(`NODE_EXTRA_CA_CERTS=${ca}`)
    expect(readFileSync(ca, 'utf8')).toContain('BEGIN CERTIFICATE')
    const tools = await ctl(['mcp', '--url', `${open.endpoint}/servers/echo`, '--ca-file', ca], {
      ...machines.centre,
      stdin: `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'story', version: '1' } } })}\n`,
    })
    expect(tools.stdout).toContain('"serverInfo"')
    const distrusted = await ctl(['mcp', '--url', `${open.endpoint}/servers/echo`], {
      ...machines.centre,
      stdin: `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })}\n`,
    })
    expect(distrusted.stdout).toMatch(/authority that this machine does not trust/)
    await open.stop()
  })

  it('refuse another pin before the token is sent, and a URL whose pin was lost', async () => {
    const { edge, requests, folder, ask } = machines
    const { url, name } = await ask<CreatedEnrollment>('enroll', 'create')
    const stateDir = join(folder, 'wrong')
    const before = requests().length
    const wrong = await ctl(['gateway', '--enrollment-url', url.replace(/sha256:.*/, `sha256:${'A'.repeat(43)}`)], { ...edge, stateDir })
    expect([wrong.code, wrong.stderr]).toEqual([3, expect.stringContaining(`sha256:${'A'.repeat(43)}`)])
    expect(wrong.stderr).toContain(url.slice(url.indexOf('sha256:')))
    const lost = await ctl(['gateway', '--enrollment-url', url.replace(/#.*/, '')], { ...edge, stateDir })
    expect([lost.code, lost.stderr]).toEqual([2, expect.stringMatching(/probably lost(.|\n)*single quotes/)])
    // What the control plane has heard: that its roots were fetched, and nothing under /enroll/.
    expect(requests().slice(before)).toEqual(['/v1/ca-cert.pem'])
    expect(await ask('get', `enrollment/${name}`)).toMatchObject({ status: { state: 'open', usedCount: 0 } })
  })

  it('refuse plain text, whoever speaks it', async () => {
    const { edge, centre, enroll, folder, controlPlane } = machines
    const plain = (await enroll('plain')).replace('https:', 'http:').replace(/#.*/, '')
    const stateDir = join(folder, 'plain')
    const agent = await ctl(['gateway', '--enrollment-url', plain], { ...edge, stateDir })
    expect([agent.code, agent.stderr]).toEqual([2, expect.stringMatching(/unencrypted over the network/)])
    const person = await ctl(['get', 'servers', '--cp-url', controlPlane.http.replace('https:', 'http:')], centre)
    expect([person.code, person.stderr]).toEqual([2, expect.stringMatching(/plain http to another machine/)])
    // Told to go on, they are refused by the other side, which says what it speaks.
    const insistent = await ctl(['gateway', '--enrollment-url', plain, '--insecure-plaintext'], { ...edge, stateDir })
    expect([insistent.code, insistent.stderr]).toEqual([
      2,
      expect.stringMatching(/Warning: --insecure-plaintext(.|\n)*speaks HTTPS and nothing else/),
    ])
    const told = await ctl(['get', 'servers', '--cp-url', controlPlane.http.replace('https:', 'http:'), '--insecure-plaintext'], centre)
    expect([told.code, told.stderr]).toEqual([
      2,
      expect.stringMatching(/Warning: --insecure-plaintext(.|\n)*speaks HTTPS and nothing else/),
    ])
  })

  it('let a person ask from the other machine by the pin', async () => {
    const { edge, controlPlane, enroll } = machines
    const pin = (await enroll('person')).replace(/.*#/, '#')
    const asked = await ctl(['get', 'servers', '-o', 'name', '--cp-url', `${controlPlane.http}/${pin}`], edge)
    expect([asked.code, asked.stdout]).toEqual([0, expect.stringContaining('server/echo')])
    const unpinned = await ctl(['get', 'servers', '--cp-url', controlPlane.http], edge)
    expect([unpinned.code, unpinned.stderr]).toEqual([2, expect.stringMatching(/probably lost/)])
  })

  it.skipIf(noClock)('tell a wrong clock from a wrong certificate, with both times', async () => {
    for (const shift of ['-30m', '+60d']) {
      const said = await withClock(machines, shift, /clocks differ/)
      expect(said.match(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z/g)).toHaveLength(2)
    }
  })
})

describe.skipIf(noMachines)('certificates of two machines', () => {
  it('are renewed under calls, and none is lost', async () => {
    const { calls, failures, renewals } = await callsDuringRenewals({ lifeMs: 3_000, renewals: 3 })
    expect(failures).toEqual([])
    expect(calls).toBeGreaterThan(10)
    expect(renewals).toBeGreaterThanOrEqual(3)
  }, 120_000)

  it.skipIf(noClock)(
    'that expired while the gateway was away for three days are recovered',
    async () => {
      const { answer, connected, gateway } = await backAfter('3d')
      expect(answer).toBe('still here')
      await connected('edge')
      expect((await gateway('edge')).status['credential']).toMatchObject({ kind: 'certificate', recoveries: 1 })
    },
    120_000,
  )

  it.skipIf(noClock)(
    'are not recovered after forty-five days; it says so and what to do, and serves',
    async () => {
      const { answer, again, edge } = await backAfter('45d')
      expect(answer).toBe('still here')
      const facts = await ctl(['gateway-status'], edge)
      expect(`${again.output()}${facts.stdout}`).toMatch(/recovery_window_exceeded(.|\n)*--re-enroll/)
    },
    120_000,
  )
})
