import { create, toBinary } from '@bufbuild/protobuf'
import { timestampNow } from '@bufbuild/protobuf/wkt'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { AuditEventSchema, AuditKind, AuditOutcome } from '@mcpg/proto/gen/delivery'
import type { AuditEntry, AuditVerification } from '@mcpg/proto/rest/audit'
import type { Target } from '../bench/echo-clients.ts'
import type { Alternate, Measured } from '../bench/load.ts'
import { startPeer } from '../bench/peer.ts'
import { percentile, spread } from '../bench/percentile.ts'
import { api, type Api } from '../harness/api.ts'
import { closeLater, temporaryFolder } from '../harness/cleanup.ts'
import { statement } from '../harness/database.ts'
import { modernRequest } from '../harness/mcp.ts'
import { ctl, startControlPlane, type ControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture, serverUrl, startFleet } from './fleet.ts'
import { connectVirtual, enrollVirtual } from './virtual-gateway.ts'

type Environment = { env?: Record<string, string> }

const org = '/v1/orgs/default/audit'
const perBatch = 500

/** Every batch of some gateways, each sent when the one before is acknowledged, as agents do. */
export async function acceptedPerSecond({ gateways, eventsEach, env }: Environment & { gateways: number; eventsEach: number }) {
  const controlPlane = await startControlPlane({ stateDir: join(temporaryFolder(), 'control-plane'), ...(env && { env }) })
  const rest = api(controlPlane.http)
  const batches = chain(eventsEach)
  const streams = await Promise.all(
    Array.from({ length: gateways }, async (_, index) => {
      const uid = `recorder-${index}`
      const identity = await enrollVirtual((await rest.enroll({ name: uid })).url, uid)
      let acknowledged = (_through: number) => {}
      const stream = await connectVirtual(controlPlane.grpc, identity, { audited: (through) => acknowledged(through) })
      closeLater(stream.close)
      return {
        deliver: async () => {
          for (const batch of batches) {
            const stored = new Promise<number>((resolve) => (acknowledged = resolve))
            stream.send({ case: 'auditBatch', value: batch })
            const through = await stored
            const last = Number(batch.firstSeq) + batch.events.length - 1
            if (through !== last) throw new Error(`${uid}: acknowledged ${through} instead of ${last}`)
          }
        },
      }
    }),
  )
  const began = performance.now()
  await Promise.all(streams.map(({ deliver }) => deliver()))
  const seconds = (performance.now() - began) / 1000
  const { ok, gateways: chains } = await rest.call<AuditVerification>('GET', `${org}/verify`)
  const stored = chains.reduce((sum, { rows }) => sum + rows, 0)
  return { events: gateways * eventsEach, seconds, perSecond: (gateways * eventsEach) / seconds, stored, ok }
}

/** Events of about 200 bytes, numbered and linked as a gateway does it. */
function chain(count: number) {
  const batches = []
  let before: Buffer = Buffer.alloc(32)
  for (let first = 1; first <= count; first += perBatch) {
    const prevHash = new Uint8Array(before)
    const events = Array.from({ length: Math.min(perBatch, count - first + 1) }, (_, index) => {
      const event = toBinary(
        AuditEventSchema,
        create(AuditEventSchema, {
          time: timestampNow(),
          kind: AuditKind.TOOL_CALL,
          correlationId: `req_${first + index}_0123456789abcdef`,
          sessionId: '0123456789abcdef0123456789abcdef',
          clientName: 'bench',
          server: 'files',
          target: 'read_file',
          outcome: AuditOutcome.OK,
          requestBytes: 300n,
          resultBytes: 1_200n,
          argumentsHash: new Uint8Array(32),
        }),
      )
      before = createHash('sha256').update(before).update(event).digest()
      return event
    })
    batches.push({ firstSeq: BigInt(first), prevHash, events })
  }
  return batches
}

/** A rate of all clients together (none: as fast as they can), and how long each path is measured in one round. */
export type Pace = { callsPerSecond?: number; slices: number; sliceMs: number }

/** p99 of calls of a server that is audited beside one of the same program that is not, in turn, at each pace. */
export async function callCost({ rounds, clients, paces, env }: Environment & { rounds: number; clients: number; paces: Pace[] }) {
  const { gateway } = await startFleet([fixture('with', 'raw-stdio'), unaudited('without')], env)
  const load = await startPeer(new URL('../bench/load.ts', import.meta.url).pathname)
  for (const path of ['with', 'without']) {
    const target: Target = { transport: 'http', url: serverUrl(gateway, path), era: 'modern' }
    await load.ask('openPath', { path, target, clients })
  }
  const measure = ({ callsPerSecond, slices, sliceMs }: Pace) =>
    load.ask<Record<'with' | 'without', Measured>>('alternate', {
      paths: ['with', 'without'],
      clients,
      slices,
      warmupMs: 500,
      durationMs: sliceMs,
      watchPid: gateway.pid,
      ...(callsPerSecond && { callsPerSecond }),
    } satisfies Alternate)
  // Both warm before anything counts.
  await measure({ slices: 1, sliceMs: Math.max(...paces.map(({ sliceMs }) => sliceMs)) })
  const costs = []
  for (const pace of paces) {
    const all = []
    for (let round = 0; round < rounds; round++) all.push(await measure(pace))
    costs.push({ pace, ...costOf(all) })
  }
  await load.ask('close')
  return costs
}

function costOf(rounds: Record<'with' | 'without', Measured>[]) {
  const median = (of: 'with' | 'without', which: 'p99' | 'cpuMicros' | 'rps') =>
    percentile(
      rounds.map((round) => round[of][which]),
      0.5,
    )
  const both = (which: 'p99' | 'cpuMicros' | 'rps') => ({ with: median('with', which), without: median('without', which) })
  const ratios = rounds.map((round) => round.with.p99 / round.without.p99)
  return { ratio: spread(ratios), p99: both('p99'), cpuMicros: both('cpuMicros'), perSecond: both('rps') }
}

function unaudited(name: string) {
  const server = fixture(name, 'raw-stdio')
  return { ...server, spec: { ...server.spec, auditLevel: 'disabled' } }
}

export type AuditedFleet = Awaited<ReturnType<typeof auditedFleet>>

/** A gateway that has told of some calls, and a control plane that has sealed what it did. */
export async function auditedFleet({ calls, env }: Environment & { calls: number }) {
  const fleet = await startFleet([fixture('echo', 'echo')], env)
  const call = async (count: number) => {
    for (let one = 0; one < count; one++)
      await modernRequest(serverUrl(fleet.gateway, 'echo'), 'tools/call', { name: 'echo', arguments: { text: `planted ${one}` } })
  }
  await call(calls)
  await told(fleet.rest, calls)
  return { ...fleet, call }
}

export const toolCalls = async (rest: Api): Promise<AuditEntry[]> =>
  (await rest.call<{ items: AuditEntry[] }>('GET', `${org}?action=tool.call&limit=500`)).items

/** Waits until so many calls are in the trail and everything is sealed. */
export async function told(rest: Api, calls: number): Promise<void> {
  await until(`${calls} calls are in the trail`, async () => (await toolCalls(rest)).length >= calls, 60_000)
  await until('all is sealed', async () => (await rest.call<AuditVerification>('GET', `${org}/verify`)).unsealed.count === 0)
}

/** What `mcpg-ctl audit verify` says, and its exit code. */
export async function verified({ controlPlane, env }: { controlPlane: ControlPlane; env?: Record<string, string> }) {
  const { code, stdout } = await ctl(['audit', 'verify', '-o', 'json'], {
    stateDir: controlPlane.stateDir,
    env: { ...env, MCPG_CP_URL: controlPlane.http },
  })
  return { code, answer: JSON.parse(stdout) as AuditVerification }
}

/** One way to spoil the trail: what is done to the database, where it shows, and by which word. In this order each shows over those before. */
export type Harm = { name: string; does: (stateDir: string) => Promise<void>; shows: (answer: AuditVerification) => string | undefined }

export const harms: Harm[] = [
  {
    name: 'a row of the control plane is altered',
    does: (stateDir) => statement(stateDir, `UPDATE "audit" SET "actor" = 'somebody else' WHERE "org" = 'default' AND "seq" = 3`),
    shows: ({ problem }) => problem?.reason,
  },
  {
    name: 'a row of the control plane is removed',
    does: (stateDir) => statement(stateDir, `DELETE FROM "audit" WHERE "org" = 'default' AND "seq" = 2`),
    shows: ({ problem }) => problem?.reason,
  },
  {
    name: 'an event of a gateway is altered',
    does: (stateDir) =>
      statement(stateDir, `UPDATE "gateway_audit" SET "bytes" = (SELECT "bytes" FROM "gateway_audit" WHERE "seq" = 2) WHERE "seq" = 3`),
    shows: ({ gateways }) => gateways[0]?.problem?.reason,
  },
  {
    name: 'an event of a gateway is removed',
    does: (stateDir) => statement(stateDir, `DELETE FROM "gateway_audit" WHERE "seq" = 2`),
    shows: ({ gateways }) => gateways[0]?.problem?.reason,
  },
]

export const expectedOf = ({ name }: Harm) => (name.endsWith('altered') ? 'row_altered' : 'row_missing')
