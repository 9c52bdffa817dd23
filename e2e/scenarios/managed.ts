import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Operation, OperationEvent } from '@mcpg/proto/rest/operations'
import { crashMarker } from '../../cp/src/operations/crash-step.ts'
import { closeLater, temporaryFolder } from '../harness/cleanup.ts'
import { rowsOf } from '../harness/database.ts'
import { isRunning } from '../harness/processes.ts'
import { ctl, fastTimers, startControlPlane, type ControlPlane } from '../harness/programs.ts'

export { crashMarker }
export const gatewaysPath = '/v1/orgs/default/workspaces/default/environments/default/gateways'
export const place = ['--org', 'default', '--workspace', 'default', '--env', 'default']
export const managedTimers = { MCPG_TIMERS: `${fastTimers},managedProbe=300,operationLease=1000,operationRetry=50` }

/** A control plane whose managed gateways end with the test. */
export async function startManaged({ env = {}, stateDir = temporaryFolder() }: { env?: Record<string, string>; stateDir?: string } = {}) {
  const controlPlane = await startControlPlane({ stateDir, env: { ...managedTimers, ...env } })
  endManaged(stateDir)
  return { controlPlane, stateDir }
}

export function endManaged(stateDir: string): void {
  closeLater(() => ctl(['stop', '--all'], { stateDir }))
}

/** Begins an operation and does not follow it. */
export async function begin(
  { http }: Pick<ControlPlane, 'http'>,
  method: 'POST' | 'DELETE',
  path: string,
  { body, key }: { body?: object; key?: string } = {},
): Promise<{ status: number; answer: { operationId: string; instanceUid: string; reason?: string } }> {
  const headers = {
    accept: 'application/json',
    ...(body && { 'content-type': 'application/json' }),
    ...(key !== undefined && { 'idempotency-key': key }),
  }
  const response = await fetch(http + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  return { status: response.status, answer: (await response.json()) as { operationId: string; instanceUid: string } }
}

export const eventsIn = (text: string): OperationEvent[] =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as OperationEvent)

export async function operationsOf({ http }: Pick<ControlPlane, 'http'>): Promise<Operation[]> {
  const response = await fetch(`${http}/v1/orgs/default/operations?limit=500`)
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return ((await response.json()) as { items: Operation[] }).items
}

/** Agents of managed gateways of a state dir, from the kernel: instance uid and pid of each. Their servers have other names. */
export function agentsOf(stateDir: string): { uid: string; pid: number }[] {
  const folder = join(stateDir, 'gateways')
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const cwd = readlinkSync(`/proc/${name}/cwd`)
        const isAgent = dirname(cwd) === folder && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('mcpg-ctl')
        return isAgent && isRunning(Number(name)) ? [{ uid: basename(cwd), pid: Number(name) }] : []
      } catch {
        return []
      }
    })
}

/**
 * What is wrong where exactly these gateways, by uid, should be there and nothing be at work; empty for nothing. Of one with several replicas,
 * or that had several, each replica is named: `<uid>`, `<uid>-1` …
 */
export async function wrongWith(stateDir: string, uids: string[]): Promise<string[]> {
  const expected = uids.toSorted()
  const groups = new Map<string, number>()
  for (const uid of expected.map((one) => /^(.+-[0-9a-f]{6})-\d+$/.exec(one)?.[1] ?? one)) groups.set(uid, (groups.get(uid) ?? 0) + 1)
  const sorted = <Row>(rows: Row[], uid: (row: Row) => string) => rows.map(uid).sort().join(' ')
  const [operations, reservations, clusters, managed, enrolled] = [
    await rowsOf<{ id: string }>(stateDir, `SELECT "id" FROM "operations" WHERE "finishedAt" IS NULL OR "state" = 'running'`),
    await rowsOf<{ gatewayUid: string; state: string; gateways: number }>(
      stateDir,
      `SELECT "gatewayUid", "state", SUM("gateways") AS "gateways" FROM "reservations" WHERE "state" <> 'released' GROUP BY "gatewayUid", "state"`,
    ),
    await rowsOf<{ gatewaysReserved: number }>(stateDir, 'SELECT "gatewaysReserved" FROM "clusters"'),
    await rowsOf<{ instanceUid: string; state: string }>(stateDir, 'SELECT "instanceUid", "state" FROM "managed_gateways"'),
    await rowsOf<{ instanceUid: string }>(stateDir, `SELECT "instanceUid" FROM "gateways" WHERE "origin" = 'managed'`),
  ]
  const folder = join(stateDir, 'gateways')
  const folders = existsSync(folder) ? readdirSync(folder).filter((uid) => existsSync(join(folder, uid, 'process.json'))) : []
  const facts: [string, string, string][] = [
    ['processes', sorted(agentsOf(stateDir), ({ uid }) => uid), expected.join(' ')],
    ['folders', sorted(folders, (uid) => uid), expected.join(' ')],
    ['operations without an end', sorted(operations, ({ id }) => id), ''],
    [
      'reservations',
      sorted(reservations, ({ gatewayUid, state, gateways }) => `${gatewayUid} ${state} ${gateways}`),
      [...groups].map(([uid, replicas]) => `${uid} committed ${replicas}`).join(' '),
    ],
    ['reserved on clusters', String(clusters.reduce((sum, one) => sum + one.gatewaysReserved, 0)), String(expected.length)],
    [
      'managed gateways',
      sorted(managed, ({ instanceUid, state }) => `${instanceUid} ${state}`),
      [...groups.keys()].map((uid) => `${uid} ready`).join(' '),
    ],
    ['enrolled gateways', sorted(enrolled, ({ instanceUid }) => instanceUid), expected.join(' ')],
  ]
  return facts.filter(([, found, wanted]) => found !== wanted).map(([what, found, wanted]) => `${what}: "${found}", not "${wanted}"`)
}
