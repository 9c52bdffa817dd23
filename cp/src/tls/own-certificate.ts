import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'
import type { Timers } from '@mcpg/core/timers'
import { isIP } from 'node:net'
import type { Authority } from '../keys/authority.ts'
import { newKey, pemOf } from '../keys/certificates.ts'
import { listeners, type Pair, type ServerCertificate } from '@mcpg/core/server-certificate'

/**
 * A server certificate by our own authority, for the names that `names` gives. Its key is made at each start and never stored. It is
 * replaced in the last third of its life, and when the names of the machine have changed.
 */
export async function ownCertificate({
  authority,
  names,
  clock,
  timers,
  log,
}: {
  authority: Pick<Authority, 'issue'>
  names: () => string[]
  clock: Clock
  timers: Timers
  log: Log
}): Promise<ServerCertificate & { names(): string[] }> {
  let current = await issue()
  const changed = listeners()
  const checks = periodically({
    name: 'server certificate',
    clock,
    everyMs: timers.certificateCheck,
    work: check,
    failed: (error) => log.error({ err: error }, 'the server certificate could not be replaced; trying again'),
  })
  void checks.start()
  return { pair: () => current.pair, names: () => current.names, onChange: changed.add, stop: () => void checks.stop() }

  async function check(): Promise<void> {
    const isOld = current.notAfter - clock.now() < timers.serverCertificateLife / 3
    if (!isOld && names().join() === current.names.join()) return
    current = await issue()
    log.info({ names: current.names, until: new Date(current.notAfter).toISOString() }, 'the server certificate was replaced')
    changed.tell()
  }

  async function issue(): Promise<{ pair: Pair; names: string[]; notAfter: number }> {
    const wanted = names()
    const { privateKey, publicKey } = await newKey()
    const { chain, notAfter } = await authority.issue({
      subject: 'CN=mcpg control plane',
      publicKey,
      names: wanted.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      use: 'server',
      lifeMs: timers.serverCertificateLife,
    })
    const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(privateKey).toString('base64')}\n-----END PRIVATE KEY-----\n`
    return { pair: { cert: chain.map(pemOf).join(''), key }, names: wanted, notAfter }
  }
}
