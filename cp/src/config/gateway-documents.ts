import type { Db } from '../db/db.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Documents, ReadDocument } from './documents.ts'
import type { Generations } from './generations.ts'

/** States of a generation that a gateway has not come to a verdict on. */
const onItsWay = ['waiting', 'offered', 'staged', 'applying', 'probation']

export type DocumentsOf = (gatewayId: string, generation: number) => Promise<ReadDocument[]>

/**
 * The documents that a gateway should run, runs, may fall back to, or has on its way (`generation`). What it reports of itself counts
 * only where it was assigned to it: the hash of another gateway's config opens nothing.
 */
export function gatewayDocuments({
  read,
  documents,
  generations,
  registry,
}: {
  read: Db['read']
  documents: Pick<Documents, 'load'>
  generations: Pick<Generations, 'get'>
  registry: Pick<Registry, 'get'>
}): DocumentsOf {
  return async (gatewayId, generation) => {
    const current = generations.get(gatewayId)
    const { appliedHash = null, lkgHash = null } = registry.get(gatewayId) ?? {}
    const rows = await read.assignment.findMany({
      where: {
        gatewayId,
        OR: [{ configHash: { in: [appliedHash, lkgHash].filter((hash) => hash !== null) } }, { generation, state: { in: onItsWay } }],
      },
      select: { configHash: true },
      distinct: ['configHash'],
    })
    const others = rows.map(({ configHash }) => configHash).filter((hash) => hash !== current?.configHash)
    const found = await Promise.all(others.map((hash) => documents.load(hash)))
    return [current?.document, ...found].filter((document) => document !== undefined && document !== null)
  }
}
