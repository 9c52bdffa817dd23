import { gatewaySizes, type GatewayParameters, type GatewaySize } from '@mcpg/proto/rest/provisioning'
import type { Amounts } from '../allocator/allocator.ts'
import { mostReplicas } from '../clusters/group.ts'

/** What a managed gateway is deployed with, and where it may be. */
export type Parameters = GatewayParameters

/** What an operation was asked for. */
export type OperationInput = {
  parameters: Parameters
  /** Of an update: what is applied again when it fails. */
  previous?: Parameters
  /** Of an update: what is given back when it succeeds, in negative numbers. */
  less?: Amounts
  /** Of a move: the installation whose place is taken, and where it runs. */
  from?: { instanceUid: string; clusterId: string }
}

export const nothing: Amounts = { gateways: 0, cpuMillicores: 0, memoryBytes: 0 }

/** What all replicas take together, as many as there can be: load must find the room that it needs. */
export function amountsOf({ size, ...count }: { size: GatewaySize; replicas: number; maxReplicas?: number | undefined }): Amounts {
  const { cpuMillicores, memoryBytes } = gatewaySizes[size]
  const replicas = mostReplicas(count)
  return { gateways: replicas, cpuMillicores: cpuMillicores * replicas, memoryBytes: memoryBytes * replicas }
}

/** The change from one to the other, apart by what has to be reserved first and what is given back last. */
export function changeOf(before: Amounts, after: Amounts): { more: Amounts; less: Amounts } {
  const change = (pick: (one: Amounts) => number) => pick(after) - pick(before)
  const all = [change((one) => one.gateways), change((one) => one.cpuMillicores), change((one) => one.memoryBytes)]
  const of = (take: (number: number) => number): Amounts => ({
    gateways: take(all[0]!),
    cpuMillicores: take(all[1]!),
    memoryBytes: take(all[2]!),
  })
  return { more: of((one) => Math.max(0, one)), less: of((one) => Math.min(0, one)) }
}

/** For a person. */
const told = ['size', 'replicas', 'maxReplicas', 'imageTag', 'customHostname'] as const

/** What an update changes, for a person; empty for nothing. */
export const changesText = (before: Parameters, after: Parameters): string =>
  told
    .filter((field) => before[field] !== after[field])
    .map((field) => `${field} ${before[field] ?? 'none'} → ${after[field] ?? 'none'}`)
    .join(', ')

export const amountsText = ({ gateways, cpuMillicores, memoryBytes }: Amounts): string =>
  `${gateways} ${gateways === 1 ? 'gateway' : 'gateways'}, ${cpuMillicores}m CPU, ${Math.round(memoryBytes / 2 ** 20)} MiB`
