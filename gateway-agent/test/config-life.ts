import { fromBinary } from '@bufbuild/protobuf'
import { systemClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { ConfigOfferSchema } from '@mcpg/proto/gen/gateway'
import { configMachine } from '../src/config/machine.ts'
import { configFolder, openSlots } from '../src/config/slots.ts'
import { policyOf, PolicyFile } from '../src/policy/policy.ts'
import { fakeServers } from './fake-servers.ts'
import { secretsOver } from './secret-source.ts'

/** Keys of the signer and offers, base64. */
export type LifeInput = { gatewayId: string; key: string; offers: string[] }

export type Life = {
  /** Names routed when the boot was over. */
  booted: string[]
  routed: string[]
  /** Every set of names that was ever routed. */
  routings: string[][]
  generation: number
  state: string
  reason: string | undefined
  applied: string | null
  lkg: string | null
}

/** One life of a config machine over a gateway's folder: boots, is offered each config in turn, stops. */
export async function lifeOf(folder: string, input: LifeInput, onSync: () => void = () => {}): Promise<Life> {
  const fake = fakeServers()
  const slots = openSlots(configFolder(folder), onSync)
  const machine = configMachine({
    gateway: { gatewayId: input.gatewayId, keys: [new Uint8Array(Buffer.from(input.key, 'base64'))] },
    slots,
    secrets: secretsOver(slots, { gatewayId: input.gatewayId }).secrets,
    servers: fake.servers,
    policy: policyOf(PolicyFile.parse({})),
    clock: systemClock,
    log: createLog({ level: 'silent', json: true }),
  })
  await machine.start()
  const booted = fake.routedNames()
  await machine.settled()
  for (const offer of input.offers) {
    machine.offer(fromBinary(ConfigOfferSchema, Buffer.from(offer, 'base64')))
    await machine.settled()
  }
  const report = machine.report()
  const { applied, lkg } = machine.hashes()
  const routed = fake.routedNames()
  await machine.stop()
  return {
    booted,
    routed,
    routings: fake.routings,
    generation: report?.generation ?? 0,
    state: report?.state ?? 'none',
    reason: report?.reason,
    applied,
    lkg,
  }
}
