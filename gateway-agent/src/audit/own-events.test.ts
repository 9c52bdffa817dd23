import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fromBinary } from '@bufbuild/protobuf'
import { fakeClock, systemClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { ConfigServer } from '@mcpg/proto/gateway-config'
import { AuditEventSchema, AuditKind, AuditOutcome } from '@mcpg/proto/gen/delivery'
import { fakeServers } from '../../test/fake-servers.ts'
import { newSealingKey, secretsOver, secretSource } from '../../test/secret-source.ts'
import { configSigner } from '../../test/signed-config.ts'
import { configMachine } from '../config/machine.ts'
import { openSlots } from '../config/slots.ts'
import { policyOf, PolicyFile } from '../policy/policy.ts'
import { removeAbandoned } from './abandoned.ts'
import { witnessConfigs } from './config-verdicts.ts'
import { witnessedSecrets } from './secret-use.ts'
import { bytesOf, type Witnessed } from './witnessed.ts'

const log = createLog({ level: 'silent', json: true })
const clock = fakeClock(1_000)

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-own-events-'))
  await run(folder).finally(() => rm(folder, { recursive: true, force: true }))
}

/** A queue that keeps what it is told, as it would be sent. */
function kept() {
  const seen: Witnessed[] = []
  const events = () => seen.map((one) => fromBinary(AuditEventSchema, bytesOf(one)))
  return { queue: { record: (one: Witnessed) => void seen.push(one) }, events, bytes: () => Buffer.concat(seen.map(bytesOf)) }
}

it('tells which secrets were opened for which server, and which did not open, and no value', () =>
  inFolder(async (folder) => {
    const sealingKey = newSealingKey()
    const { secrets, delivery } = secretsOver(openSlots(folder), { sealingKey })
    const source = secretSource({ sealingKey })
    source.values.set('db/token/3', 'planted-value')
    delivery.attach(source.fetch)
    const { queue, events, bytes } = kept()
    const open = witnessedSecrets(secrets.open, { queue, clock })
    const server = (key: string, version: number) =>
      ConfigServer.parse({ name: 'files', command: ['x'], env: { A: { secretRef: { name: 'db', key, version } } } })
    const never = new AbortController().signal
    expect([...(await open(server('token', 3), never)).values()]).toEqual(['planted-value'])
    await expect(open(server('user', 1), never)).rejects.toMatchObject({ reason: 'SecretUnavailable' })
    await expect(open(server('other', 1), AbortSignal.abort())).rejects.toMatchObject({ reason: 'SecretUnavailable' })
    expect(events()).toMatchObject([
      { kind: AuditKind.SECRET_USE, server: 'files', outcome: AuditOutcome.OK, secrets: [{ name: 'db', key: 'token', version: 3n }] },
      { kind: AuditKind.SECRET_USE, outcome: AuditOutcome.UNAVAILABLE, reason: 'SecretUnavailable', secrets: [{ key: 'user' }] },
    ])
    expect(bytes().toString('latin1')).not.toContain('planted')
  }))

it('tells what became of every config, once', () =>
  inFolder(async (folder) => {
    const signer = configSigner()
    const fake = fakeServers()
    const slots = openSlots(folder)
    const { secrets } = secretsOver(slots)
    const policy = policyOf(PolicyFile.parse({ commands: ['run'] }))
    const parts = { gateway: signer.gateway, slots, secrets, servers: fake.servers, policy, clock: systemClock, log }
    const { queue, events } = kept()
    const give = async (machine: ReturnType<typeof configMachine>, generation: number, command: string[]) => {
      machine.offer(signer.offer({ generation, servers: [{ name: 'a', command }] }))
      await machine.settled()
    }
    const machine = configMachine(parts)
    witnessConfigs(machine, { queue, clock })
    await machine.start()
    await give(machine, 1, ['run'])
    await give(machine, 1, ['run'])
    await give(machine, 2, ['forbidden'])
    await machine.stop()
    // The next life hears of the same config again.
    const again = configMachine(parts)
    witnessConfigs(again, { queue, clock })
    await again.start()
    await give(again, 1, ['run'])
    await again.stop()
    expect(events().map(({ kind, target, outcome, reason }) => [kind, target, outcome, reason])).toEqual([
      [AuditKind.CONFIG, 'generation 1', AuditOutcome.OK, ''],
      [AuditKind.CONFIG, 'generation 2', AuditOutcome.DENIED, 'LocalPolicy'],
    ])
    expect(events()[0]).toMatchObject({ configGeneration: 1n, configHash: expect.objectContaining({ length: 32 }) })
  }))

it('leaves no queue of an identity that was given up', () =>
  inFolder(async (folder) => {
    const warned: unknown[] = []
    for (const name of ['gw_old', 'gw_now', 'gw_empty', 'kept']) await mkdir(join(folder, name))
    for (const name of ['gw_old', 'gw_now']) await writeFile(join(folder, name, '0000000000000001.audit'), '')
    await removeAbandoned(folder, 'gw_now', { warn: (about: unknown) => void warned.push(about) } as never)
    expect((await readdir(folder)).toSorted()).toEqual(['gw_now', 'kept'])
    expect(warned).toEqual([{ gatewayId: 'gw_old', segments: 1 }])
    await removeAbandoned(join(folder, 'none'), 'gw_now', log)
  }))
