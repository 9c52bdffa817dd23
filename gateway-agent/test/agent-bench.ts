import { mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, type Clock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import { defaultTimers, type Timers } from '@mcpg/core/timers'
import { configMachine } from '../src/config/machine.ts'
import { openSlots } from '../src/config/slots.ts'
import { innerDoor } from '../src/endpoint/inner-door.ts'
import { ensureIdentity } from '../src/identity/enroll.ts'
import { gatewayCredentials } from '../src/identity/credentials.ts'
import { parseEnrollmentUrl } from '../src/identity/enrollment-url.ts'
import type { Identity } from '../src/identity/identity-file.ts'
import type { Contact } from '../src/link/contact.ts'
import { describeGateway } from '../src/link/description.ts'
import { controlPlanes } from '../src/link/endpoints.ts'
import type { Inventory } from '../src/link/inventory.ts'
import { linkLoop } from '../src/link/link.ts'
import { remoteCalls } from '../src/link/remote-calls.ts'
import { policyOf, PolicyFile } from '../src/policy/policy.ts'
import { fakeControlPlane, type FakeControlPlane, type FakeTls, type Knobs } from './fake-control-plane.ts'
import { fakeServers } from './fake-servers.ts'
import { secretsOver } from './secret-source.ts'

/** Waits between attempts that no test has to sit through. */
export const quickTimers: Timers = { ...defaultTimers, firstReconnect: 20, reconnectBase: 10, reconnectMax: 40, statusFlush: 10 }

/** An enrolled agent without servers and endpoint: identity, config machine and link against a fake control plane. */
export async function linkedAgent({
  knobs = {},
  timers = {},
  clock = systemClock,
  random = Math.random,
  contact = null,
  isAllowed = true,
  served = (_request, response) => void response.end(),
  tls,
  before = async () => {},
}: {
  knobs?: Partial<Knobs>
  timers?: Partial<Timers>
  clock?: Clock
  random?: () => number
  contact?: Contact | null
  /** The host's word on calls of the control plane, and what its endpoint answers to them. */
  isAllowed?: boolean
  served?: RequestListener
  tls?: FakeTls
  /** Between the enrollment and the start of the link. */
  before?: (plane: FakeControlPlane, folder: string) => Promise<void>
} = {}) {
  const plane = await fakeControlPlane(knobs, tls)
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-link-'))
  const settings = { ...quickTimers, ...timers }
  const log = createLog({ level: 'silent', json: true })
  const identity = await ensureIdentity({
    folder,
    url: parseEnrollmentUrl(plane.enrollmentUrl(), { insecurePlaintext: false }),
    instanceUid: undefined,
    uidStem: 'test',
    reEnroll: false,
    fixPermissions: false,
    description: describeGateway({ endpoints: [] }),
    endpointNames: null,
    clock: systemClock,
    timers: settings,
    tell: () => {},
    stopping: new AbortController().signal,
  })
  if (!identity) throw new Error('not enrolled')
  const fake = fakeServers()
  const inventory = fakeInventory()
  const keys = identity.configSigningKeys.map((key) => new Uint8Array(Buffer.from(key, 'base64')))
  const slots = openSlots(join(folder, 'config'))
  const { secrets, delivery } = secretsOver(slots, identity)
  const machine = configMachine({
    gateway: { gatewayId: identity.gatewayId, keys },
    slots,
    secrets,
    servers: fake.servers,
    policy: policyOf(PolicyFile.parse({})),
    clock: systemClock,
    log,
  })
  const door = innerDoor(served, () => 'localhost')
  const contacts: Contact[] = []
  const decommissions: string[] = []
  const endpoints = (me: Identity) =>
    controlPlanes(undefined, me.controlPlaneEndpoints, { insecurePlaintext: false, isSecure: tls !== undefined })
  const credentials = gatewayCredentials({
    folder,
    first: identity,
    endpoints,
    endpointNames: () => null,
    clock,
    timers: settings,
    log,
    random,
  })
  const link = linkLoop({
    identity: credentials.stored,
    recover: credentials.recover,
    onSuperseded: () => credentials.renewal.look(),
    endpoints,
    config: machine,
    servers: fake.servers,
    source: inventory.source,
    delivery,
    describe: () => describeGateway({ endpoints: ['http://127.0.0.1:1/mcp'] }),
    activeSessions: () => 3,
    accessVersion: () => 0,
    talks: [remoteCalls({ door, stateKeyId: 'abcd1234', isAllowed, policyPath: 'policy.yaml' }).attach],
    contact,
    onContact: (one) => contacts.push(one),
    onDecommission: (message) => decommissions.push(message),
    clock,
    timers: settings,
    log,
    random,
  })
  const failures: unknown[] = []
  await before(plane, folder)
  credentials.onRenewed(() => link.renewed())
  await machine.start()
  await credentials.renewal.start((error) => failures.push(error))
  await link.start((error) => failures.push(error))
  return { plane, folder, identity, fake, inventory, machine, link, door, contacts, decommissions, failures, stop }

  async function stop(): Promise<void> {
    await credentials.renewal.stop()
    await link.stop()
    door.close()
    await machine.stop()
    await plane.stop()
    await rm(folder, { recursive: true, force: true })
    if (failures.length > 0) throw failures[0]
  }
}

/** A catalog that knows what it is told. */
export function fakeInventory() {
  const known = new Map<string, Inventory>()
  const listeners = new Set<(server: string) => void>()
  return {
    source: {
      onInventory(listener: (server: string) => void) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      inventory: (server: string) => known.get(server) ?? null,
    },
    set(server: string, inventory: Inventory) {
      known.set(server, inventory)
      for (const listener of listeners) listener(server)
    },
  }
}
