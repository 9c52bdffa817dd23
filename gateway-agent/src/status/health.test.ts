import { expect, it } from 'vitest'
import type { ServerReport } from '../servers/supervision.ts'
import { configSigner } from '../../test/signed-config.ts'
import { verifyDocument, verifyHeader, isRefusal, type VerifiedConfig } from '../config/verify.ts'
import { readiness } from './health.ts'

const signer = configSigner()

function running(servers: { name: string; required?: boolean; state?: 'stopped' }[]): VerifiedConfig {
  const offer = signer.offer({ generation: 1, servers: servers.map((one) => ({ ...one, command: ['x'] })) })
  const { signedHeader, signature, signingKeyId, configBytes: bytes } = offer
  const header = verifyHeader(offer, signer.gateway)
  if (isRefusal(header)) throw new Error(header.message)
  const desired = verifyDocument(bytes, header)
  if (isRefusal(desired)) throw new Error(desired.message)
  return { signedHeader, signature, signingKeyId, bytes, header, ...desired }
}

const report = (name: string, state: ServerReport['state'], reason?: string): ServerReport => ({
  name,
  subHash: '',
  state,
  restartCount: 0,
  desired: 1,
  instances: [{ instanceId: `${name}-0`, state: 'starting', lastLogLines: [], restartCount: 0, inFlight: 0, ...(reason && { reason }) }],
})

const waiting = (config: VerifiedConfig | null, reports: ServerReport[]) =>
  readiness({ config: { running: () => config }, servers: { report: () => reports } })

it('waits for a first config', () => {
  expect(waiting(null, [])).toEqual([{ server: '', reason: 'NoConfig' }])
})

it('is ready when every required server that shall run is', () => {
  const config = running([{ name: 'a' }, { name: 'b', required: false }, { name: 'c', state: 'stopped' }])
  expect(waiting(config, [report('a', 'ready'), report('b', 'failed'), report('c', 'stopped')])).toEqual([])
})

it('names each server it waits for, with the reason of its instance', () => {
  const config = running([{ name: 'a' }, { name: 'b' }, { name: 'c' }])
  expect(waiting(config, [report('a', 'starting'), report('b', 'failed', 'ExitedEarly')])).toEqual([
    { server: 'a', reason: 'starting' },
    { server: 'b', reason: 'ExitedEarly' },
    { server: 'c', reason: 'missing' },
  ])
})
